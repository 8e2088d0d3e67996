import type { FileTail } from './file-tail.ts';

/**
 * Whether nothing was written between these two files of one run, as far as times tell. A rotated file is compressed,
 * or overwritten by one that was rotated in the same second, when the file after it is rotated in turn: what began
 * later still is not that file. Joined all the same, the begin of one line and the end of another could make a record
 * that nobody wrote.
 */
export function followsDirectly(file: FileTail, next: FileTail): boolean {
  const superseded = file.entry.compressed || file.deleted ? file.stat.ctimeMs : Infinity;
  const began = firstTime(next);
  return began === undefined || began < superseded;
}

/** When the first line was written, in milliseconds since 1970; undefined where it does not begin with its time. */
function firstTime({ fingerprint: { firstLine } }: FileTail): number | undefined {
  const text = firstLine?.toString('latin1', 0, Math.max(0, firstLine.indexOf(' ')));
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? undefined : time;
}
