import type { FileHandle } from 'node:fs/promises';
import { ndjsonIdAt, ndjsonRecordEnd, ndjsonStart, ndjsonTrace } from '../writers/ndjson.ts';

const CHUNK_BYTES = 1_048_576;
const LINE_FEED = 0x0a;

/** Where a record stands in the file writer's output, in bytes. */
export interface Found {
  readonly unixNano: string;
  readonly offset: number;
  readonly length: number;
  /** The record's identity; undefined in lines that keep none. */
  readonly id: string | undefined;
}

/** Whole lines, and where they are in the file. */
export interface Lines {
  readonly text: Buffer;
  readonly offset: number;
}

/**
 * The whole lines of a file between two offsets, about a mebibyte at a time; a line that is longer comes whole. What
 * is behind the last line feed is left out.
 *
 * @param range.from the beginning of a line.
 */
export async function* fileLines(
  file: FileHandle,
  { from, to }: { from: number; to: number },
  signal: AbortSignal,
): AsyncGenerator<Lines, void> {
  let rest: Buffer = Buffer.alloc(0);
  let offset = from;
  for (;;) {
    signal.throwIfAborted();
    const at = offset + rest.length;
    const wanted = Math.min(CHUNK_BYTES, to - at);
    if (wanted <= 0) return;
    const chunk = Buffer.allocUnsafe(wanted);
    const { bytesRead } = await file.read(chunk, 0, wanted, at);
    if (bytesRead === 0) return;
    const text = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
    const end = text.lastIndexOf(LINE_FEED) + 1;
    if (end > 0) yield { text: text.subarray(0, end), offset };
    rest = text.subarray(end);
    offset += end;
  }
}

/** Where the last whole line before `size` ends: 0 where there is none. */
export async function endOfLines(file: FileHandle, size: number): Promise<number> {
  const step = 65_536;
  for (let end = size; end > 0; end -= step) {
    const start = Math.max(0, end - step);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
    const at = buffer.subarray(0, bytesRead).lastIndexOf(LINE_FEED);
    if (at !== -1) return start + at + 1;
  }
  return 0;
}

/** Finds the lines of one trace by the bytes of its ID. */
export function finderOf(traceId: string): (lines: Lines) => Generator<Found, void> {
  const needle = Buffer.from(ndjsonTrace(traceId), 'latin1');
  return (lines) => findIn(lines, needle);
}

function* findIn({ text, offset: base }: Lines, needle: Buffer): Generator<Found, void> {
  for (let at = text.indexOf(needle); at !== -1;) {
    const lineStart = text.lastIndexOf(LINE_FEED, at) + 1;
    const lineEnd = text.indexOf(LINE_FEED, at);
    const before = text.toString('latin1', lineStart, Math.min(at, lineStart + 64));
    const unixNano = before.startsWith(ndjsonStart) ? before.slice(ndjsonStart.length) : '';
    // Otherwise the needle stood inside of a record.
    if (lineStart + before.length === at && /^\d+$/.test(unixNano)) {
      const start = at + needle.length;
      const length = ndjsonRecordEnd(text, lineEnd) - start;
      yield { unixNano, offset: base + start, length, id: ndjsonIdAt(text, lineEnd) };
    }
    at = text.indexOf(needle, lineEnd);
  }
}

/** What stands for a record's identity in a line that does not keep it: where it is. */
export function placeId(offset: number): string {
  return String(offset).padStart(16, '0');
}
