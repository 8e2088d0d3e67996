import type { FileTail } from './file-tail.ts';
import { compareNames } from './log-names.ts';

/**
 * Orders the files of one container, oldest first: by name, except that a file whose name is gone is older than what was found since: a name, `0.log` above all,
 * can be used again.
 */
export function compareAge(a: FileTail, b: FileTail): number {
  if (b.foundIn >= a.goneIn) return -1;
  if (a.foundIn >= b.goneIn) return 1;
  // Not of one log, or they were one FileTail: a second file was rotated in the second in which the first had been.
  const named = a.entry.order === b.entry.order && a.entry.generation === b.entry.generation;
  if (named && a.entry.compressed !== b.entry.compressed) return a.entry.compressed ? -1 : 1;
  return compareNames(a.entry, b.entry);
}
