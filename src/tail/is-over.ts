import type { FileTail } from './file-tail.ts';
import { followsDirectly } from './follows-directly.ts';
import type { Timing } from './timing.ts';

export interface EndOfFile {
  /** That was read to the end that it has now. */
  readonly file: FileTail;
  /** All files of the container that are newer, oldest first. */
  readonly newer: readonly FileTail[];
  /** For how long nothing was left to read in it, in milliseconds. */
  readonly atEndFor: number;
  /** No name will lead to it again. */
  readonly gone: boolean;
  readonly stopping: boolean;
}

/** Whether a file that was read to its end will hold no more. */
export function isOver(
  { file, newer, atEndFor, gone, stopping }: EndOfFile,
  { settle, settleTorn }: Pick<Timing, 'settle' | 'settleTorn'>,
): boolean {
  const [next] = newer;
  const patience = isOfRun(file, next) && file.endsWithinLine ? settleTorn : settle;
  return (
    file.entry.compressed ||
    file.position >= file.limit ||
    newer.length > 1 ||
    (stopping && file.deleted) ||
    ((next !== undefined || gone) && atEndFor >= patience)
  );
}

/** Whether the next file goes on where this one ends, so that a line may be in both. */
export function goesOn(file: FileTail, next: FileTail): boolean {
  return isOfRun(file, next) && followsDirectly(file, next);
}

function isOfRun(file: FileTail, next: FileTail | undefined): boolean {
  return next !== undefined && next.entry.generation === file.entry.generation;
}
