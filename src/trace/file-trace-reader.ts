import { open, type FileHandle } from 'node:fs/promises';
import { followFile, recordsBehind } from './file-follower.ts';
import { endOfLines, fileLines, finderOf, type Found, placeId } from './file-lines.ts';
import { fileNodes } from './file-nodes.ts';
import { recentInFile } from './file-recent.ts';
import { FileMark } from './file-mark.ts';
import type { Nodes } from './known-node.ts';
import { Smallest } from './smallest.ts';
import { widened } from './span.ts';
import { comparePositions, type Position, type StoredRecord } from './stored-record.ts';
import type { Span } from './trace-state.ts';
import {
  type Followed,
  isWithin,
  type ReadOptions,
  type RecentTraces,
  type TraceReader,
} from './trace-reader.ts';

/** So many places of records are kept at once, at about 100 bytes; the file is gone through once for each so many. */
const MOST_PLACES = 100_000;
/** What is read at once where records stand close to each other. */
const WINDOW_BYTES = 65_536;

type Place = Found & Position;

/**
 * Reads traces from the file writer's output: through the file, searching for the bytes of the trace's ID, then
 * the records that were found, in order of time and then of the file. Nothing grows with the file or the trace:
 * of a trace with more than 100,000 lines, the file is gone through again for each 100,000.
 */
export class FileTraceReader implements TraceReader {
  readonly name: string;
  readonly #path: string;
  readonly #mostPlaces: number;

  /** @param mostPlaces places kept at once; only tests give one. */
  constructor(path: string, mostPlaces = MOST_PLACES) {
    this.#path = path;
    this.#mostPlaces = mostPlaces;
    this.name = path;
  }

  async now(signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    const file = await this.#open();
    try {
      const { ino, size } = await file.stat({ bigint: true });
      return new FileMark(ino, await endOfLines(file, Number(size))).toString();
    } finally {
      await file.close();
    }
  }

  async *read(
    traceId: string,
    signal: AbortSignal,
    options: ReadOptions = {},
  ): AsyncGenerator<StoredRecord, void> {
    const file = await this.#open();
    try {
      const { ino, size } = await file.stat({ bigint: true });
      const mark = FileMark.parse(options.at);
      // Of another file than is there now, a mark says nothing.
      const to = mark?.ino === ino ? mark.offset : Number(size);
      const window = new Window(file, this.#path);
      for (let { after } = options; ;) {
        const places = await this.#places(file, { traceId, to, options: { ...options, after } }, signal);
        for (const place of places) {
          signal.throwIfAborted();
          yield { unixNano: place.unixNano, id: place.id, bytes: await window.read(place) };
        }
        if (places.length < this.#mostPlaces) return;
        after = places.at(-1);
      }
    } finally {
      await file.close();
    }
  }

  follow(traceId: string, mark: string, signal: AbortSignal): AsyncIterable<Followed> {
    return followFile(this.#path, { traceId, mark }, signal);
  }

  async recent(limit: number, signal: AbortSignal): Promise<RecentTraces> {
    const file = await this.#open();
    try {
      return await recentInFile(file, limit, signal);
    } finally {
      await file.close();
    }
  }

  nodes(signal: AbortSignal): Promise<Nodes> {
    signal.throwIfAborted();
    return fileNodes(this.#path, Date.now());
  }

  async span(traceId: string, mark: string, signal: AbortSignal): Promise<Span | undefined> {
    const file = await this.#open();
    try {
      const { ino, size } = await file.stat({ bigint: true });
      const at = FileMark.parse(mark);
      const to = at?.ino === ino ? at.offset : Number(size);
      let span: Span | undefined;
      const find = finderOf(traceId);
      for await (const lines of fileLines(file, { from: 0, to }, signal)) {
        for (const { unixNano } of find(lines)) span = widened(span, unixNano);
      }
      return span;
    } finally {
      await file.close();
    }
  }

  async *between(
    traceId: string,
    { after, upTo }: { readonly after: string; readonly upTo: string },
    signal: AbortSignal,
  ): AsyncGenerator<readonly StoredRecord[], void> {
    const file = await this.#open();
    try {
      const marks = { at: markOf(after), upTo: markOf(upTo) };
      for await (const { records } of recordsBehind(file, { traceId, ...marks }, signal)) {
        if (records.length > 0) yield records;
      }
    } finally {
      await file.close();
    }
  }

  /** The file is open only while it is read. */
  async close(): Promise<void> {}

  /** The first places of those that are wanted, in order. */
  async #places(
    file: FileHandle,
    { traceId, to, options }: { traceId: string; to: number; options: ReadOptions },
    signal: AbortSignal,
  ): Promise<readonly Place[]> {
    const { after } = options;
    const places = new Smallest<Place>(this.#mostPlaces, comparePositions);
    const find = finderOf(traceId);
    for await (const lines of fileLines(file, { from: 0, to }, signal)) {
      for (const found of find(lines)) {
        const place = { ...found, id: placeId(found.offset) };
        if (!isWithin(place.unixNano, options)) continue;
        if (after === undefined || comparePositions(place, after) > 0) places.add(place);
      }
    }
    return places.sorted();
  }

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

function markOf(text: string): FileMark {
  return FileMark.parse(text) ?? new FileMark(0n, 0);
}

/** Reads places of a file, neighbours with one read. */
class Window {
  readonly #file: FileHandle;
  readonly #path: string;
  #bytes: Buffer = Buffer.alloc(0);
  #offset = 0;

  constructor(file: FileHandle, path: string) {
    this.#file = file;
    this.#path = path;
  }

  async read({ offset, length }: Found): Promise<Buffer> {
    const inside = offset >= this.#offset && offset + length <= this.#offset + this.#bytes.length;
    if (!inside) {
      const size = Math.max(length, WINDOW_BYTES);
      // Another buffer each time: who has records of the last one may keep them.
      const { buffer, bytesRead } = await this.#file.read(Buffer.allocUnsafe(size), 0, size, offset);
      if (bytesRead < length) throw new Error(`${this.#path} was cut short while it was read`);
      this.#bytes = buffer.subarray(0, bytesRead);
      this.#offset = offset;
    }
    return this.#bytes.subarray(offset - this.#offset, offset - this.#offset + length);
  }
}
