import { open, stat, type FileHandle } from 'node:fs/promises';
import { pause } from '../util/pause.ts';
import { fileLines, finderOf, placeId } from './file-lines.ts';
import { FileMark } from './file-mark.ts';
import type { StoredRecord } from './stored-record.ts';
import type { Followed } from './trace-reader.ts';

/** How often the file is looked at. */
const LOOK_MS = 200;

/**
 * The records of a trace that are appended to the file behind a mark. A file that is replaced by another, or emptied,
 * is read from its beginning; one that is not there yet is waited for.
 */
export async function* followFile(
  path: string,
  { traceId, mark }: { traceId: string; mark: string },
  signal: AbortSignal,
): AsyncGenerator<Followed, void> {
  let at = FileMark.parse(mark) ?? new FileMark(0n, 0);
  let file: FileHandle | undefined;
  try {
    for (;;) {
      signal.throwIfAborted();
      file ??= await openIfThere(path);
      if (file !== undefined) {
        // Asked before it is read: once the path is another file's, nothing more is written to this one.
        const isCurrent = await isAt(path, file);
        const { ino, size } = await file.stat({ bigint: true });
        // Shorter than it was: somebody has emptied it.
        if (ino !== at.ino || Number(size) < at.offset) at = new FileMark(ino, 0);
        for await (const followed of recordsBehind(
          file,
          { traceId, at, upTo: new FileMark(ino, Number(size)) },
          signal,
        )) {
          at = FileMark.parse(followed.mark) ?? at;
          yield followed;
        }
        if (!isCurrent) {
          await file.close();
          file = undefined;
        }
      }
      await pause(LOOK_MS, signal);
    }
  } finally {
    await file?.close();
  }
}

/** The records of a trace between two marks; where the first is of another file, or beyond the end, from the beginning. */
export async function* recordsBehind(
  file: FileHandle,
  { traceId, at, upTo }: { traceId: string; at: FileMark; upTo: FileMark },
  signal: AbortSignal,
): AsyncGenerator<Followed, void> {
  const { ino, offset: to } = upTo;
  const from = at.ino !== ino || to < at.offset ? 0 : at.offset;
  const find = finderOf(traceId);
  for await (const lines of fileLines(file, { from, to }, signal)) {
    const records = [...find(lines)].map(({ unixNano, offset, length }): StoredRecord => {
      const start = offset - lines.offset;
      return { unixNano, id: placeId(offset), bytes: lines.text.subarray(start, start + length) };
    });
    yield { records, mark: new FileMark(ino, lines.offset + lines.text.length).toString() };
  }
}

async function isAt(path: string, file: FileHandle): Promise<boolean> {
  const [there, { ino }] = await Promise.all([
    stat(path, { bigint: true }).catch(() => undefined),
    file.stat({ bigint: true }),
  ]);
  return there?.ino === ino;
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
