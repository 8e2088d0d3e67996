import type { FileHandle } from 'node:fs/promises';
import { pause } from '../util/pause.ts';
import type { FileNames } from '../writers/file-names.ts';
import { fileLines, finderOf, placeId } from './file-lines.ts';
import { FileMark } from './file-mark.ts';
import { openIfThere } from './file-sources.ts';
import type { StoredRecord } from './stored-record.ts';
import type { Followed } from './trace-reader.ts';

/** How often the files are looked at, and how much longer than a look through many directories the pause is at least. */
const LOOK_MS = 200;
const LOOK_SHARE = 4;

interface FollowedFile {
  readonly file: FileHandle;
  offset: number;
}

/**
 * The records of a trace that are appended behind a mark. A file that is rotated is read to its end, one that is made
 * or emptied from its beginning; one that is not there yet is waited for.
 */
export async function* followFiles(
  names: FileNames,
  { traceId, mark }: { traceId: string; mark: string },
  signal: AbortSignal,
): AsyncGenerator<Followed, void> {
  const begin = FileMark.parse(mark) ?? new FileMark(new Map());
  const files = new Map<bigint, FollowedFile>();
  try {
    for (let first = true; ; first = false) {
      signal.throwIfAborted();
      // Asked before they are read: to one that is rotated or gone by now nothing more is written.
      const begun = performance.now();
      const live = await openNew(names, files, first ? begin : undefined);
      const took = performance.now() - begun;
      for (const [ino, followed] of files) {
        const { size } = await followed.file.stat();
        // Shorter than it was: somebody has emptied it.
        if (size < followed.offset) followed.offset = 0;
        const place = { from: followed.offset, to: size };
        for await (const { records, end } of recordsAt(followed.file, { traceId, ...place }, signal)) {
          followed.offset = end;
          yield { records, mark: markOf(files) };
        }
        if (!live.has(ino)) {
          files.delete(ino);
          await followed.file.close();
        }
      }
      await pause(Math.max(LOOK_MS, LOOK_SHARE * took), signal);
    }
  } finally {
    await Promise.all([...files.values()].map(async ({ file }) => await file.close()));
  }
}

/** The records of a trace between two offsets of a file, and up to where it was read. */
export async function* recordsAt(
  file: FileHandle,
  { traceId, from, to }: { traceId: string; from: number; to: number },
  signal: AbortSignal,
): AsyncGenerator<{ readonly records: readonly StoredRecord[]; readonly end: number }, void> {
  const find = finderOf(traceId);
  for await (const lines of fileLines(file, { from, to }, signal)) {
    const records = [...find(lines)].map(({ unixNano, offset, length, id }): StoredRecord => {
      const start = offset - lines.offset;
      const bytes = lines.text.subarray(start, start + length);
      return { unixNano, id: id ?? placeId(offset), bytes };
    });
    yield { records, end: lines.offset + lines.text.length };
  }
}

/**
 * Opens the files that were not known.
 *
 * @param begin where to begin, at the first look: a file that it does not name and that is rotated was read.
 * @returns the inodes of those that are written to.
 */
async function openNew(
  names: FileNames,
  files: Map<bigint, FollowedFile>,
  begin: FileMark | undefined,
): Promise<ReadonlySet<bigint>> {
  const live = new Set<bigint>();
  for (const { path, rotated, compressed } of await names.list()) {
    // One that is compressed was open before, or its lines are older than the mark.
    if (compressed || (rotated && begin === undefined)) continue;
    const file = await openIfThere(path);
    if (file === undefined) continue;
    const { ino } = await file.stat({ bigint: true });
    if (!rotated) live.add(ino);
    const known = begin?.offsets.get(ino);
    if (files.has(ino) || (rotated && known === undefined)) await file.close();
    else files.set(ino, { file, offset: known ?? 0 });
  }
  return live;
}

function markOf(files: ReadonlyMap<bigint, FollowedFile>): string {
  return new FileMark(new Map([...files].map(([ino, { offset }]) => [ino, offset]))).toString();
}
