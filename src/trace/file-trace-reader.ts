import { stat, type FileHandle } from 'node:fs/promises';
import { FileNames } from '../writers/file-names.ts';
import { followFiles, recordsAt } from './file-follower.ts';
import { fileNodes } from './file-nodes.ts';
import type { Nodes } from './known-node.ts';
import type { Span } from './trace-state.ts';
import { FileIndexes } from './file-index.ts';
import { endOfLines, type Found } from './file-lines.ts';
import { FileMark } from './file-mark.ts';
import { FilePlaces } from './file-places.ts';
import { FileRecent } from './file-recent.ts';
import { openIfThere, type Source, sourcesOf } from './file-sources.ts';
import { comparePositions, type Position, type StoredRecord } from './stored-record.ts';
import type { Followed, ReadOptions, RecentTraces, TraceReader } from './trace-reader.ts';

/** So many places of records are kept at once, at about 100 bytes; the file is gone through once for each so many. */
const MOST_PLACES = 100_000;
/** What is read at once where records stand close to each other. */
const WINDOW_BYTES = 65_536;

export interface FileReaderOptions {
  /** For who reads often: an index of each file and the last pages are kept. */
  readonly livesOn?: boolean;
  /** Places kept at once; only tests give it. */
  readonly mostPlaces?: number;
}

/**
 * Reads traces from the file writer's output: through its files, searching for the bytes of the trace's ID, then
 * the records that were found, in order of time and then of identity. Memory does not grow with the trace: of one
 * with more than 100,000 lines, the files are gone through again for each 100,000. With `livesOn` an index of each
 * file is kept, so that only the parts that may hold the trace are read.
 */
export class FileTraceReader implements TraceReader {
  readonly name: string;
  readonly #path: string;
  readonly #names: FileNames;
  readonly #indexes: FileIndexes | undefined;
  readonly #places: FilePlaces;
  readonly #recent: FileRecent;

  /** @param path FILE_PATH. */
  constructor(path: string, { livesOn = false, mostPlaces = MOST_PLACES }: FileReaderOptions = {}) {
    this.#path = path;
    this.#names = new FileNames(path);
    this.#indexes = livesOn ? new FileIndexes() : undefined;
    this.#places = new FilePlaces({ mostPlaces, indexes: this.#indexes });
    this.#recent = new FileRecent(this.#names, this.#indexes);
    this.name = path;
  }

  async prepare(signal: AbortSignal): Promise<void> {
    await this.#recent.prepare(signal);
  }

  async now(signal: AbortSignal): Promise<string> {
    const offsets = new Map<bigint, number>();
    for await (const { file } of this.#live(signal)) {
      const { ino, size } = await file.stat({ bigint: true });
      offsets.set(ino, await endOfLines(file, Number(size)));
    }
    return new FileMark(offsets).toString();
  }

  async *read(
    traceId: string,
    signal: AbortSignal,
    options: ReadOptions = {},
  ): AsyncGenerator<StoredRecord, void> {
    const windows = new Map<bigint, Window>();
    const sources = new Set<Source>();
    const mark = FileMark.parse(options.at);
    try {
      for await (const source of sourcesOf(this.#names, { traceId, mark }, signal)) {
        sources.add(source);
        windows.set(source.ino, new Window(source.file, source.path));
        if (await this.#places.any(source, traceId, signal)) continue;
        // Most files have nothing of the trace: they are not kept open.
        sources.delete(source);
        await source.file.close();
      }
      let before: Position | undefined;
      for (let { after } = options; ;) {
        const { places, last } = await this.#places.first(
          [...sources],
          { ...options, traceId, after },
          signal,
        );
        for (const place of places) {
          signal.throwIfAborted();
          // A crash may have left a record twice.
          const again = before !== undefined && comparePositions(place, before) === 0;
          before = place;
          const window = windows.get(place.ino);
          if (again || window === undefined) continue;
          yield { unixNano: place.unixNano, id: place.id, bytes: await window.read(place) };
        }
        if (last) return;
        after = places.at(-1);
      }
    } finally {
      await Promise.all([...sources].map(async ({ file }) => await file.close()));
    }
  }

  follow(traceId: string, mark: string, signal: AbortSignal): AsyncIterable<Followed> {
    return followFiles(this.#names, { traceId, mark }, signal);
  }

  /** Of those that are not compressed, from the one that was written last on. */
  recent(limit: number, signal: AbortSignal): Promise<RecentTraces> {
    return this.#recent.newest(limit, signal);
  }

  nodes(signal: AbortSignal): Promise<Nodes> {
    signal.throwIfAborted();
    return fileNodes(this.#path, Date.now());
  }

  async span(traceId: string, mark: string, signal: AbortSignal): Promise<Span | undefined> {
    const sources: Source[] = [];
    try {
      const at = { traceId, mark: FileMark.parse(mark) };
      for await (const source of sourcesOf(this.#names, at, signal)) sources.push(source);
      return await this.#places.span(sources, traceId, signal);
    } finally {
      await Promise.all(sources.map(async ({ file }) => await file.close()));
    }
  }

  /** What was compressed between the marks is left out; that takes two rotations, for the newest stays as it is. */
  async *between(
    traceId: string,
    { after, upTo }: { readonly after: string; readonly upTo: string },
    signal: AbortSignal,
  ): AsyncGenerator<readonly StoredRecord[], void> {
    const [first, last] = [after, upTo].map(
      (mark) => FileMark.parse(mark)?.offsets ?? new Map<bigint, number>(),
    );
    const plain = (await this.#names.list()).filter(({ compressed }) => !compressed);
    const inodes = await Promise.all(
      plain.map(async ({ path }) => (await stat(path, { bigint: true }).catch(() => undefined))?.ino),
    );
    // Of each node: the files of one follow those of another. Where its file of the mark is compressed by now, all that
    // are not are later.
    const unbegun = new Set(plain.filter((_, at) => first?.has(inodes[at] ?? -1n)).map(({ node }) => node));
    for (const { path, node, rotated } of plain) {
      const file = await openIfThere(path);
      if (file === undefined) continue;
      try {
        const { ino, size } = await file.stat({ bigint: true });
        const known = first?.get(ino);
        if (known !== undefined) unbegun.delete(node);
        const isOlder = rotated && unbegun.has(node);
        const isLater = !rotated && last?.get(ino) === undefined;
        if (isOlder || isLater) continue;
        const to = last?.get(ino) ?? Number(size);
        const from = known === undefined || known > to ? 0 : known;
        for await (const { records } of recordsAt(file, { traceId, from, to }, signal)) {
          if (records.length > 0) yield records;
        }
      } finally {
        await file.close();
      }
    }
  }

  /** The files are open only while they are read. */
  async close(): Promise<void> {}

  /** The files that are written to; those that are gone by the time are left out. @throws where there is none. */
  async *#live(signal: AbortSignal): AsyncGenerator<Pick<Source, 'file' | 'path'>, void> {
    signal.throwIfAborted();
    let any = false;
    for (const { path, rotated, compressed } of await this.#names.list()) {
      if (rotated || compressed) continue;
      const file = await openIfThere(path);
      if (file === undefined) continue;
      any = true;
      try {
        yield { file, path };
      } finally {
        await file.close();
      }
    }
    if (!any) throw new Error('there is no such file (yet); FILE_PATH names it');
  }
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
