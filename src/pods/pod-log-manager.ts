import { basename, join } from 'node:path';
import type { Log } from '../ops/log.ts';
import type { Metrics } from '../ops/metrics.ts';
import { Repeated } from '../ops/repeated.ts';
import { defaultFollowTiming, FollowedPod, type FollowTiming } from './followed-pod.ts';
import { GonePods } from './gone-pods.ts';
import { KeepLooking } from './keep-looking.ts';
import { listDirectories } from './list-directories.ts';
import { parsePodDirectory, podOf } from './log-path.ts';
import type { MakeTail } from './tail.ts';
import type { ContainerTarget, PodListener, PodSource, PodTarget, Removal } from './targets.ts';
import { defaultUnknownTiming, UnknownPods, type UnknownTiming } from './unknown-pods.ts';

/** A container of an earlier run; `excluded` are those of its pod that were not wanted then. */
export interface RememberedContainer extends ContainerTarget {
  readonly excluded?: readonly string[];
}

export interface PodLogManagerOptions {
  readonly podLogDir: string;
  readonly makeTail: MakeTail;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'pods' | 'heldPods' | 'unknownPods' | 'watchErrors'>;
  /**
   * Containers that an earlier run of the agent followed and did not finish. They are followed at once; those
   * whose pod is not told by the first `synced()` are drained then.
   */
  readonly remembered?: readonly RememberedContainer[];
  /**
   * Containers of this pod of which an earlier run left something unread, also where it was let go: once it is known
   * to be wanted they are followed, also where their directories are gone, so that what is lost is told.
   */
  readonly unread?: (pod: PodTarget) => readonly string[];
  /** A pod is told, with what it says of itself. */
  readonly onTold?: (pod: PodTarget) => void;
  /** A container is drained and let go: nothing of it is read any more. */
  readonly onForgotten?: (target: ContainerTarget) => void;
  /**
   * Whether a pod may be told later than its directory is seen, going by its name: its files are held open until it
   * is told, or is known not to be selected. Nothing is held unless told otherwise.
   */
  readonly holds?: (pod: PodTarget) => boolean;
  /** What is asked of where the pods come from. */
  readonly source?: Pick<PodSource, 'suspect' | 'heard' | 'existing'>;
  /**
   * Directories whose pods an earlier run knew not to be selected. Undefined where no run was there before: of pods
   * that were deleted before the first one nothing is promised, and nothing more is asked.
   */
  readonly unselected?: readonly string[];
  /** Which containers are wanted, by name; all unless told otherwise. */
  readonly selects?: (container: string) => boolean;
  readonly timing?: Partial<FollowTiming & UnknownTiming>;
}

/** Held directories are thought about so often, in milliseconds, while there are any. */
const reviewMs = 500;

/**
 * Keeps the tails in step with the pods: one for each container directory of each pod that is told, from the
 * moment the pod and the directory are both there, whichever comes first, until the pod has left and its files
 * are read to their end. What is there of a pod that has not been told is held, so that it can be told late.
 */
export class PodLogManager implements PodListener {
  readonly #options: PodLogManagerOptions;
  readonly #timing: FollowTiming & UnknownTiming;
  readonly #repeated: Repeated;
  /** By directory: a pod made anew under the same name is another one. */
  readonly #pods = new Map<string, FollowedPod>();
  readonly #told = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  readonly #root: KeepLooking;
  #signal: AbortSignal | undefined;
  readonly #unknown: UnknownPods;
  readonly #gone: GonePods;
  #review: NodeJS.Timeout | undefined;
  #notReady: string | undefined;

  constructor(options: PodLogManagerOptions) {
    this.#options = options;
    this.#timing = { ...defaultFollowTiming, ...defaultUnknownTiming, ...options.timing };
    const { source = {}, unselected } = options;
    this.#unknown = new UnknownPods(this.#timing, (pod) => source.heard?.(pod), unselected);
    this.#gone = new GonePods(source, this.#timing.askAgainMs, (pods) =>
      this.#neverTold(
        pods,
        'Log directories are there of pods that the Kubernetes API does not know any more',
      ),
    );
    this.#repeated = new Repeated(options.log);
    this.#notReady = `${options.podLogDir} has not been listed yet`;
    this.#root = new KeepLooking({
      path: options.podLogDir,
      linkAllowed: true,
      look: () => this.#look(),
      rescanMs: this.#timing.rescanMs,
      missingMs: 250,
      onError: (error) => this.#watchFailed(error),
    });
    const { selects = () => true, onForgotten } = options;
    for (const container of options.remembered ?? []) {
      const { excluded = [] } = container;
      if (selects(container.container))
        this.#pod({ ...podOf(container), excluded }).remember(container.container);
      else onForgotten?.(container);
    }
  }

  /** Undefined once POD_LOG_DIR has been listed; until then what is wrong. */
  get notReady(): string | undefined {
    return this.#notReady;
  }
  /** Pods that are followed, those that are being drained included. */
  get pods(): number {
    return this.#pods.size - this.held;
  }
  /** Directories of pods of which nobody has told yet whether they are selected. */
  get held(): number {
    return [...this.#pods.values()].filter(({ held }) => held).length;
  }
  /** Containers that have a tail. */
  get tails(): number {
    return [...this.#pods.values()].reduce((sum, { tails }) => sum + tails, 0);
  }

  /**
   * Until when, as `steadyNow`, all that selected containers wrote, or such that may be selected, is in the care of a
   * tail. What has changed since is looked at soon.
   */
  seenTo(): number {
    let to = this.#root.seenTo();
    for (const pod of this.#pods.values()) to = Math.min(to, pod.seenTo());
    return to;
  }

  /** Directories that are there, and whose pods are not selected. */
  get unselected(): readonly string[] {
    return this.#unknown.unselected;
  }

  /** What is known of the pod of this directory; undefined where it is not looked into. */
  pod(directory: string): Pick<FollowedPod, 'held' | 'wanted' | 'whyNot'> | undefined {
    return this.#pods.get(directory);
  }

  added(pod: PodTarget): void {
    this.#told.add(pod.directory);
    this.#unknown.told(pod);
    this.#options.onTold?.(pod);
    this.#pod(pod).keep(pod);
    this.#count();
  }

  removed(pod: PodTarget, why: Removal = 'released'): void {
    this.#told.delete(pod.directory);
    this.#unknown.released(pod);
    this.#pods.get(pod.directory)?.leave(why);
  }

  synced(): void {
    for (const pod of this.#pods.values()) {
      if (pod.held || this.#told.has(pod.target.directory)) continue;
      this.#unknown.released(pod.target);
      pod.leave('released');
    }
  }

  /**
   * Lists and opens, before it runs, all that is there now: whatever is deleted before it is open is lost, and the
   * rest of the agent takes a while to load.
   */
  async open(): Promise<void> {
    await this.#look();
    await Promise.all([...this.#pods.values()].map((pod) => pod.open()));
  }

  /** Resolves when, after the signal aborted, all tails have ended. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    for (const pod of this.#pods.values()) this.#start(pod, signal);
    await this.#root.run(signal);
    clearTimeout(this.#review);
    this.#neverTold(this.#unknown.neverTold);
    await Promise.all(this.#running);
  }

  /** The pod's entry, made and started where there is none. */
  #pod(target: PodTarget, { held = false } = {}): FollowedPod {
    const known = this.#pods.get(target.directory);
    if (known !== undefined && !known.left) return known;
    const {
      makeTail,
      log,
      selects = () => true,
      unread = () => [],
      onForgotten = () => undefined,
    } = this.#options;
    const pod = new FollowedPod({
      target,
      held,
      since: this.#root.lastSeenTo,
      makeTail,
      selects,
      unread: () => unread(target),
      onForgotten,
      onWatchError: (error) => this.#watchFailed(error),
      onListError: (err) =>
        this.#repeated.problem(`list ${target.directory}`, `Cannot list ${target.directory}`, { err }),
      log,
      timing: this.#timing,
    });
    this.#pods.set(target.directory, pod);
    this.#count();
    if (this.#signal !== undefined) this.#start(pod, this.#signal);
    return pod;
  }

  #start(pod: FollowedPod, signal: AbortSignal): void {
    const running = this.#run(pod, signal).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #run(pod: FollowedPod, signal: AbortSignal): Promise<void> {
    await pod.run(signal);
    const { directory } = pod.target;
    if (this.#pods.get(directory) === pod) this.#pods.delete(directory);
    this.#count();
  }

  #count(): void {
    const { pods, heldPods } = this.#options.metrics;
    pods.set(this.pods);
    heldPods.set(this.held);
  }

  async #look(): Promise<boolean> {
    const { podLogDir } = this.#options;
    try {
      const names = await listDirectories(podLogDir, { linkAllowed: true });
      if (names === undefined) {
        this.#missing(`${podLogDir} does not exist yet; waiting for it`);
      } else {
        this.#notReady = undefined;
        this.#repeated.resolved('root', `${podLogDir} is there`);
      }
      this.#holdUnknown(names ?? []);
      // A pod sees what happens in its directory; that the directory itself comes or goes is seen here.
      const there = new Set(names?.map((name) => join(podLogDir, name)));
      for (const pod of this.#pods.values()) if (pod.present !== there.has(pod.target.directory)) pod.wake();
      // Where it is missing it may be the wrong one: nothing can be said of what is there.
      return names !== undefined;
    } catch (err) {
      this.#missing(`Cannot list ${podLogDir}`, { err });
      return false;
    }
  }

  #missing(problem: string, details = {}): void {
    this.#repeated.problem('root', problem, details);
    if (this.#notReady !== undefined) this.#notReady = problem;
  }

  /** Holds what is there of pods that have not been told. */
  #holdUnknown(names: readonly string[]): void {
    const { podLogDir, holds = () => false } = this.#options;
    const unknown = names.flatMap((name) => {
      const pod = parsePodDirectory(podLogDir, name);
      if (pod === undefined || this.#told.has(pod.directory) || !holds(pod)) return [];
      // Remembered, or being drained.
      return this.#pods.get(pod.directory)?.held === false ? [] : [pod];
    });
    for (const pod of this.#unknown.see(unknown, performance.now())) this.#pod(pod, { held: true });
    this.#think();
  }

  /** Decides what can be decided of the pods that have not been told; again soon, while there are any. */
  #think(): void {
    clearTimeout(this.#review);
    const { source } = this.#options;
    const now = performance.now();
    const { suspects, decided, neverTold, doubtful } = this.#unknown.review(now);
    for (const pod of suspects) source?.suspect?.(pod);
    for (const pod of decided) this.#pods.get(pod.directory)?.letGo();
    for (const pod of this.#pods.values()) pod.poll();
    this.#neverTold(neverTold);
    if (this.#options.unselected !== undefined) this.#gone.add(doubtful);
    if (this.#signal !== undefined) void this.#gone.ask(now, this.#signal);
    if (this.#unknown.size > 0 || this.#gone.size > 0)
      this.#review = setTimeout(() => this.#think(), reviewMs);
  }

  /** Pods came and went, and nobody can say any more whether they were selected. */
  #neverTold(
    pods: readonly PodTarget[],
    what = 'Log directories came and went while the Kubernetes API told nothing of their pods',
  ): void {
    if (pods.length === 0) return;
    const { log, metrics } = this.#options;
    metrics.unknownPods.inc(pods.length);
    log.warn(
      { directories: pods.map(({ directory }) => basename(directory)) },
      `${what}: if the pods were selected, what they printed is lost.`,
    );
  }

  #watchFailed(err: unknown): void {
    const { metrics } = this.#options;
    metrics.watchErrors.inc();
    const code = err instanceof Error && 'code' in err ? String(err.code) : 'an error';
    const rescan = `directories are listed every ${this.#timing.rescanMs / 1_000} s`;
    this.#repeated.problem('watch', `Cannot watch directories (${code}); ${rescan}`, { err });
  }
}
