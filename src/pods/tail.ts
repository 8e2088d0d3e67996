import type { ContainerTarget } from './targets.ts';

/** Follows the log files of one container; made by src/tail, driven by PodLogManager. */
export interface Tail {
  /** Resolves when everything is read after `drain()`, or soon after the signal aborts. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
  /** The container will write no more, or is no longer wanted: end when what is there now has been read. */
  drain(): void;
  /** After `drain()`: it is wanted again, so go on. False where it has come to its end: then another is needed. */
  resume(): boolean;
  /** Something appeared or went in the directory, or events may have been lost: look again soon. */
  rescan(): void;
  /** Opens, before it runs, what is there now: the files may go at any moment. Never throws. */
  open(): void;
  /** Of one that was made held: it is wanted, so read. */
  release(): void;
  /** Of one that is held still: it is not wanted. It ends, and nothing was read. */
  letGo(): void;
}

export interface MakeTailOptions {
  /**
   * Whether the container is wanted is not known yet: its files are opened, and looked after, so that they stay
   * readable whatever becomes of their names; nothing of them is read or saved until `release()`.
   */
  readonly held: boolean;
  /** Nothing of the container can have been there before, as `steadyNow`. */
  readonly since: number;
}

/** Makes the tail of a container; it has not begun to run. */
export type MakeTail = (target: ContainerTarget, options: MakeTailOptions) => Tail;
