import { open, type FileHandle } from 'node:fs/promises';
import { ndjsonStart, ndjsonTrace } from '../writers/ndjson.ts';
import { compareUnixNano, type StoredRecord, type TraceReader } from './trace-reader.ts';

const CHUNK_BYTES = 1_048_576;
const LINE_FEED = 0x0a;

/** Where a record of the trace stands in the file, in bytes. */
interface Found {
  readonly unixNano: string;
  readonly offset: number;
  readonly length: number;
}

/**
 * Reads traces from the file writer's output: once through the file, searching for the bytes of the trace's
 * ID, then the records that were found, in order of time. The memory it takes grows with their number (about
 * 100 bytes each), not with their size.
 */
export class FileTraceReader implements TraceReader {
  readonly name: string;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    this.name = path;
  }

  async *read(traceId: string, signal: AbortSignal): AsyncGenerator<StoredRecord, void> {
    const file = await this.#open();
    try {
      const found = await Array.fromAsync(find(file, traceId, signal));
      // `sort` is stable: what has the same time stays in the order of the file.
      found.sort((a, b) => compareUnixNano(a.unixNano, b.unixNano));
      for (const { unixNano, offset, length } of found) {
        signal.throwIfAborted();
        const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, offset);
        if (bytesRead < length) throw new Error(`${this.#path} was cut short while it was read`);
        yield { unixNano, id: '', bytes: buffer };
      }
    } finally {
      await file.close();
    }
  }

  /** The file is open only while it is read. */
  async close(): Promise<void> {}

  async #open(): Promise<FileHandle> {
    try {
      return await open(this.#path);
    } catch (cause) {
      const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
      const reason = missing ? 'there is no such file (yet); FILE_PATH names it' : (cause as Error).message;
      throw new Error(reason, { cause });
    }
  }
}

/** The lines of the trace, in the order of the file; a torn last line is none. */
async function* find(file: FileHandle, traceId: string, signal: AbortSignal): AsyncGenerator<Found, void> {
  const needle = Buffer.from(ndjsonTrace(traceId), 'latin1');
  let rest: Buffer = Buffer.alloc(0);
  let offset = 0;
  for (;;) {
    signal.throwIfAborted();
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, offset + rest.length);
    if (bytesRead === 0) return;
    const text = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
    const end = text.lastIndexOf(LINE_FEED) + 1;
    yield* findIn(text.subarray(0, end), needle, offset);
    rest = text.subarray(end);
    offset += end;
  }
}

/** @param lines whole lines. @param base the offset of the first of them in the file. */
function* findIn(lines: Buffer, needle: Buffer, base: number): Generator<Found, void> {
  for (let at = lines.indexOf(needle); at !== -1;) {
    const lineStart = lines.lastIndexOf(LINE_FEED, at) + 1;
    const lineEnd = lines.indexOf(LINE_FEED, at);
    const before = lines.toString('latin1', lineStart, Math.min(at, lineStart + 64));
    const unixNano = before.startsWith(ndjsonStart) ? before.slice(ndjsonStart.length) : '';
    // Otherwise the needle stood inside of a record.
    if (lineStart + before.length === at && /^\d+$/.test(unixNano)) {
      const start = at + needle.length;
      // The last byte of the line is the brace around the record.
      yield { unixNano, offset: base + start, length: lineEnd - 1 - start };
    }
    at = lines.indexOf(needle, lineEnd);
  }
}
