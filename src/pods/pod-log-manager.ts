import { join } from 'node:path';
import type { Log } from '../ops/log.ts';
import type { Metrics } from '../ops/metrics.ts';
import { Repeated } from '../ops/repeated.ts';
import { defaultFollowTiming, FollowedPod, type FollowTiming } from './followed-pod.ts';
import { KeepLooking } from './keep-looking.ts';
import { listDirectories } from './list-directories.ts';
import { parsePodDirectory, podOf } from './log-path.ts';
import type { MakeTail } from './tail.ts';
import type { ContainerTarget, PodListener, PodTarget, Removal } from './targets.ts';

export interface PodLogManagerOptions {
  readonly podLogDir: string;
  readonly makeTail: MakeTail;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'pods' | 'watchErrors'>;
  /**
   * Containers that an earlier run of the agent followed and did not finish. They are followed at once; those
   * whose pod is not told by the first `synced()` are drained then.
   */
  readonly remembered?: readonly ContainerTarget[];
  /** A container is drained and let go: nothing of it is read any more. */
  readonly onForgotten?: (target: ContainerTarget) => void;
  /** A directory is there for a pod that nobody has told: see `PodSource.suspect`. */
  readonly onUnknown?: (pod: PodTarget) => void;
  /** Which containers are wanted, by name; all unless told otherwise. */
  readonly selects?: (container: string) => boolean;
  readonly timing?: Partial<FollowTiming>;
}

/** A directory may be there for so long before its pod is told, in milliseconds, without anybody wondering. */
const unknownMs = 1_000;

/**
 * Keeps the tails in step with the pods: one for each container directory of each pod that is told, from the
 * moment the pod and the directory are both there, whichever comes first, until the pod has left and its files
 * are read to their end.
 */
export class PodLogManager implements PodListener {
  readonly #options: PodLogManagerOptions;
  readonly #timing: FollowTiming;
  readonly #repeated: Repeated;
  /** By directory: a pod made anew under the same name is another one. */
  readonly #pods = new Map<string, FollowedPod>();
  readonly #told = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  readonly #root: KeepLooking;
  #signal: AbortSignal | undefined;
  #synced = false;
  /** Directories that belong to no pod that is told, by when they were first seen; undefined once that was said. */
  #unknown = new Map<string, number | undefined>();
  #wonder: NodeJS.Timeout | undefined;
  #notReady: string | undefined;

  constructor(options: PodLogManagerOptions) {
    this.#options = options;
    this.#timing = { ...defaultFollowTiming, ...options.timing };
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
    for (const container of options.remembered ?? [])
      this.#pod(podOf(container)).remember(container.container);
  }

  /** Undefined once POD_LOG_DIR has been listed; until then what is wrong. */
  get notReady(): string | undefined {
    return this.#notReady;
  }
  /** Pods that are followed, those that are being drained included. */
  get pods(): number {
    return this.#pods.size;
  }
  /** Containers that have a tail. */
  get tails(): number {
    return [...this.#pods.values()].reduce((sum, { tails }) => sum + tails, 0);
  }

  added(pod: PodTarget): void {
    this.#told.add(pod.directory);
    this.#unknown.delete(pod.directory);
    this.#pod(pod).keep(pod);
  }

  removed(pod: PodTarget, why: Removal = 'released'): void {
    this.#told.delete(pod.directory);
    this.#unknown.set(pod.directory, undefined);
    this.#pods.get(pod.directory)?.leave(why);
  }

  synced(): void {
    this.#synced = true;
    for (const pod of this.#pods.values()) if (!this.#told.has(pod.target.directory)) pod.leave('released');
    // The list has said what it has to say of them.
    for (const directory of this.#unknown.keys()) this.#unknown.set(directory, undefined);
  }

  /** Resolves when, after the signal aborted, all tails have ended. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    for (const pod of this.#pods.values()) this.#start(pod, signal);
    await this.#root.run(signal);
    clearTimeout(this.#wonder);
    await Promise.all(this.#running);
  }

  /** The pod's entry, made and started where there is none. */
  #pod(target: PodTarget): FollowedPod {
    const known = this.#pods.get(target.directory);
    if (known !== undefined && !known.left) return known;
    const { makeTail, log, metrics, selects = () => true, onForgotten = () => undefined } = this.#options;
    const pod = new FollowedPod({
      target,
      makeTail,
      selects,
      onForgotten,
      onWatchError: (error) => this.#watchFailed(error),
      onListError: (err) =>
        this.#repeated.problem(`list ${target.directory}`, `Cannot list ${target.directory}`, { err }),
      log,
      timing: this.#timing,
    });
    this.#pods.set(target.directory, pod);
    metrics.pods.set(this.#pods.size);
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
    this.#options.metrics.pods.set(this.#pods.size);
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
        this.#wonderAt(names);
      }
      // A pod sees what happens in its directory; that the directory itself comes or goes is seen here.
      const there = new Set(names?.map((name) => join(podLogDir, name)));
      for (const pod of this.#pods.values()) if (pod.present !== there.has(pod.target.directory)) pod.wake();
      return true;
    } catch (err) {
      this.#missing(`Cannot list ${podLogDir}`, { err });
      return false;
    }
  }

  #missing(problem: string, details = {}): void {
    this.#repeated.problem('root', problem, details);
    if (this.#notReady !== undefined) this.#notReady = problem;
  }

  /** Tells of directories whose pod has not been told for a while: the source may have missed it. */
  #wonderAt(names: readonly string[]): void {
    const { podLogDir, onUnknown } = this.#options;
    const now = performance.now();
    const before = this.#unknown;
    this.#unknown = new Map();
    let nextMs = Infinity;
    for (const name of names) {
      const pod = parsePodDirectory(podLogDir, name);
      if (pod === undefined || this.#told.has(pod.directory)) continue;
      const since = before.has(pod.directory) ? before.get(pod.directory) : now;
      const due = this.#synced && since !== undefined && now - since >= unknownMs;
      this.#unknown.set(pod.directory, due ? undefined : since);
      if (due) onUnknown?.(pod);
      else if (since !== undefined) nextMs = Math.min(nextMs, since + unknownMs - now);
    }
    clearTimeout(this.#wonder);
    if (this.#synced && nextMs !== Infinity)
      this.#wonder = setTimeout(() => this.#root.wake(), Math.max(10, nextMs));
  }

  #watchFailed(err: unknown): void {
    const { metrics } = this.#options;
    metrics.watchErrors.inc();
    const code = err instanceof Error && 'code' in err ? String(err.code) : 'an error';
    const rescan = `directories are listed every ${this.#timing.rescanMs / 1_000} s`;
    this.#repeated.problem('watch', `Cannot watch directories (${code}); ${rescan}`, { err });
  }
}
