import { statSync } from 'node:fs';
import type { Log } from '../ops/log.ts';
import { FollowedContainer } from './followed-container.ts';
import { KeepLooking } from './keep-looking.ts';
import { watchMany } from './watch-entries.ts';
import { listDirectories } from './list-directories.ts';
import { containerTarget } from './log-path.ts';
import type { MakeTail } from './tail.ts';
import type { ContainerTarget, PodTarget, Removal } from './targets.ts';

/** All in milliseconds. */
export interface FollowTiming {
  /** The longest time until a directory is seen that no event told of. */
  readonly rescanMs: number;
  /**
   * A deleted pod is followed until its directory goes, for so long at most: the order of the API's word, the
   * last lines and the directory's end is not fixed. A pod that lived for a moment may have its directory only
   * after it was deleted: it is looked for as long.
   */
  readonly graceMs: number;
  /** What was released is drained so much later: a deletion is not always told as one. */
  readonly releaseMs: number;
  readonly restartMs: number;
}

export const defaultFollowTiming: FollowTiming = {
  rescanMs: 5_000,
  graceMs: 10_000,
  releaseMs: 500,
  restartMs: 1_000,
};

export interface FollowedPodOptions {
  readonly target: PodTarget;
  /** Whether the pod is wanted is not known yet: its files are held, and nothing is read until `keep()`. */
  readonly held: boolean;
  /** Nothing of it can have been there before, as `steadyNow`. */
  readonly since: number;
  readonly makeTail: MakeTail;
  readonly selects: (container: string) => boolean;
  /** Containers of which an earlier run left something unread: see PodLogManagerOptions. */
  readonly unread: () => readonly string[];
  readonly onForgotten: (target: ContainerTarget) => void;
  readonly onWatchError: (error: unknown) => void;
  readonly onListError: (error: unknown) => void;
  readonly log: Log;
  readonly timing: FollowTiming;
}

/**
 * One pod: it finds the directories of its containers and keeps a tail for each, until the pod has left and all
 * that its files held is read.
 */
export class FollowedPod {
  readonly #options: FollowedPodOptions;
  readonly #containers = new Map<string, FollowedContainer>();
  readonly #running = new Set<Promise<void>>();
  readonly #entries: KeepLooking;
  readonly #left = new AbortController();
  #signal: AbortSignal | undefined;
  #excluded: readonly string[] = [];
  /** Of a remembered pod only these are known to be wanted, until the pod is told; the others are held. */
  #only: ReadonlySet<string> | undefined;
  #state: 'held' | 'kept' | 'leaving' | 'draining';
  #deadline: NodeJS.Timeout | undefined;
  /** Containers that are drained and let go since the pod began to drain. */
  readonly #drained = new Set<string>();
  /** The containers' directories at the last look. */
  #names: readonly string[] = [];
  /** When names had last changed in its directory, as polled last, in milliseconds since 1970. */
  #polledAt = -1;
  /** Its directory was there once. */
  #seen = false;
  /** Its directory was there at the last look. */
  present = false;

  constructor(options: FollowedPodOptions) {
    this.#options = options;
    const { target, held, since, timing, onWatchError } = options;
    this.#state = held ? 'held' : 'kept';
    this.#excluded = target.excluded ?? [];
    this.#entries = new KeepLooking({
      path: target.directory,
      linkAllowed: false,
      look: () => this.#look(),
      // Most held pods are let go soon: the manager polls them.
      watched: () => this.#state !== 'held',
      watchEntries: watchMany,
      rescanMs: timing.rescanMs,
      // The manager wakes it when something appears in POD_LOG_DIR.
      missingMs: timing.rescanMs,
      since,
      onError: (error) => {
        onWatchError(error);
        for (const container of this.#containers.values()) container.rescan();
      },
    });
  }

  /** Until when, as `steadyNow`, all that its containers wrote and that is wanted is in the care of a tail. */
  seenTo(): number {
    const expectsMore = !this.left && this.#state !== 'draining';
    const containers = [...this.#containers.values()].map((container) => container.seenTo);
    return Math.min(expectsMore ? this.#entries.seenTo() : Infinity, ...containers);
  }

  get target(): PodTarget {
    return this.#options.target;
  }
  /** Containers that have a tail. */
  get tails(): number {
    return this.#containers.size;
  }
  /** Nobody has told yet whether the pod is wanted. */
  get held(): boolean {
    return this.#state === 'held' && !this.left;
  }
  /** It is told, and neither deleted nor released. */
  get wanted(): boolean {
    return this.#state === 'kept';
  }
  /** It has left for good: where the pod is wanted again, another FollowedPod is needed. */
  get left(): boolean {
    return this.#left.signal.aborted;
  }

  /** A container that an earlier run of the agent followed: it is followed at once, also where its directory is gone. */
  remember(container: string): void {
    this.#only = new Set([...(this.#only ?? []), container]);
    this.#follow(container);
  }

  /** The pod is there, and wanted, whatever was told of it before. */
  keep({ excluded = [] }: PodTarget): void {
    clearTimeout(this.#deadline);
    this.#state = 'kept';
    this.#drained.clear();
    this.#only = undefined;
    this.#excluded = excluded;
    for (const [name, container] of this.#containers) {
      if (this.#selects(name)) container.keep();
      else container.drain();
    }
    for (const name of this.#options.unread()) this.#follow(name);
    this.#entries.wake();
  }

  /** The pod is deleted or not wanted any more. */
  leave(why: Removal): void {
    if (this.#state !== 'kept') return;
    const { graceMs, releaseMs } = this.#options.timing;
    // A pod of which nothing was seen yet has lived for a moment only, whatever ended it.
    const unseen = !this.#seen && this.#containers.size === 0;
    this.#state = 'leaving';
    this.#deadline = setTimeout(
      () => {
        this.#state = 'draining';
        this.#entries.wake();
      },
      why === 'deleted' || unseen ? graceMs : releaseMs,
    );
    this.#entries.wake();
  }

  /** A pod that is held is not wanted. */
  letGo(): void {
    if (this.#state !== 'held') return;
    this.#left.abort();
    for (const container of this.#containers.values()) container.drain();
  }

  /** Finds and opens, before it runs, what is there now. */
  async open(): Promise<void> {
    await this.#look();
    for (const container of this.#containers.values()) container.open();
  }

  /** Looks at once where names changed in the directory of a pod that is held, which nothing else tells; cheap. */
  poll(): void {
    if (!this.held) return;
    const changedAt = changeTime(this.target.directory);
    // What changed lately may have changed again within one tick of the file system's clock.
    if (changedAt === this.#polledAt && Date.now() - changedAt > 1_000) return;
    this.#polledAt = changedAt;
    this.#entries.wake();
  }

  wake(): void {
    this.#entries.wake();
  }

  /** Resolves when the pod has left, or when its tails have ended after the signal aborted. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    for (const [name, container] of this.#containers) this.#start(name, container, signal);
    await this.#entries.run(AbortSignal.any([signal, this.#left.signal]));
    clearTimeout(this.#deadline);
    await Promise.all(this.#running);
  }

  /** Why a container of it is not followed: the pod's annotation, or the agent's settings, exclude it. */
  whyNot(container: string): 'annotation' | 'settings' | undefined {
    if (this.#excluded.includes(container)) return 'annotation';
    return this.#options.selects(container) ? undefined : 'settings';
  }

  #selects(container: string): boolean {
    return !this.#excluded.includes(container) && this.#options.selects(container);
  }

  async #look(): Promise<boolean> {
    const seen = await this.#list();
    // Nothing is left to hold, nor can there be again.
    if (this.#state === 'held' && seen && !this.present && this.#containers.size === 0) this.#left.abort();
    // Only now, after a look: what had appeared by the time the pod was to be drained is taken in.
    if (this.#state === 'draining') {
      this.#readRest();
      for (const container of this.#containers.values()) container.drain();
      if (this.#containers.size === 0) this.#left.abort();
    }
    return seen;
  }

  /**
   * A remembered pod was not told again: most likely it was deleted while nobody heard of it. It was selected when it
   * was last heard of, so what its other containers left is wanted too.
   */
  #readRest(): void {
    if (this.#only === undefined) return;
    this.#only = undefined;
    for (const container of this.#containers.values()) if (container.held) container.keep();
  }

  async #list(): Promise<boolean> {
    const { target, onListError } = this.#options;
    try {
      const names = await listDirectories(target.directory, { linkAllowed: false });
      for (const name of names ?? []) if (!this.#drained.has(name)) this.#follow(name);
      for (const name of this.#names) if (!names?.includes(name)) this.#containers.get(name)?.rescan();
      this.#names = names ?? [];
      // Its directory was there and has gone: nothing more can be written.
      if (names === undefined && this.#seen && this.#state === 'leaving') this.#state = 'draining';
      this.present = names !== undefined;
      this.#seen ||= this.present;
      return true;
    } catch (error) {
      onListError(error);
      return false;
    }
  }

  #follow(name: string): void {
    if (this.left || this.#containers.has(name) || !this.#selects(name)) return;
    const { target, makeTail, log, timing } = this.#options;
    const container = new FollowedContainer({
      target: containerTarget(target, name),
      makeTail,
      held: this.#state === 'held' || this.#only?.has(name) === false,
      since: this.#entries.lastSeenTo,
      log,
      restartMs: timing.restartMs,
    });
    this.#containers.set(name, container);
    if (this.#signal !== undefined) this.#start(name, container, this.#signal);
  }

  #start(name: string, container: FollowedContainer, signal: AbortSignal): void {
    container.open();
    const running = this.#run(name, container, signal).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #run(name: string, container: FollowedContainer, signal: AbortSignal): Promise<void> {
    await container.run(signal);
    if (signal.aborted) return;
    this.#containers.delete(name);
    if (this.#state === 'draining') this.#drained.add(name);
    // It may be wanted again by now: then the next look makes another.
    if (!container.wanted && !container.held) this.#options.onForgotten(container.target);
    this.#entries.wake();
  }
}

/** When names last changed in a directory, in milliseconds since 1970; 0 where it cannot be seen, as `look` tells. */
function changeTime(path: string): number {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}
