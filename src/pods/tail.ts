import type { ContainerTarget } from './targets.ts';

/** Follows the log files of one container; made by src/tail, driven by PodLogManager. */
export interface Tail {
  /** Resolves when everything is read after `drain()`, or soon after the signal aborts. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
  /** The container will write no more, or is no longer wanted: end when what is there now has been read. */
  drain(): void;
  /** Something appeared or went in the directory, or events may have been lost: look again soon. */
  rescan(): void;
}

/** Makes the tail of a container; it has not begun to run. */
export type MakeTail = (target: ContainerTarget) => Tail;
