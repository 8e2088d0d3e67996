import type { FileHandle } from 'node:fs/promises';
import { ndjsonStart, ndjsonTrace } from '../writers/ndjson.ts';
import { fileLines, type Lines } from './file-lines.ts';
import { Latest } from './latest.ts';

/** Room for the hashes of a file, 16 MiB: with ten lines a trace, that is some 10 GB. Further blocks have none. */
const MOST_HASHES = 2 ** 22;
/** Of so many files an index is kept; the one that was asked for longest ago is given up. */
const MOST_FILES = 32;
/** Within the first line, whose head alone is longer: they do not change as the file grows. */
const HEAD_BYTES = 32;
const LINE_FEED = 0x0a;
const COMMA = 0x2c;
const ZERO = 0x30;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Whole lines of the file, about a mebibyte. */
interface Block extends Part {
  /** Hashes of the trace IDs in it, sorted; undefined where there was no room: it may hold any. */
  readonly hashes: Uint32Array | undefined;
}

/** A part of a file, by offsets, and what times its lines are of: none before `firstMs`, none after `lastMs`. */
export interface Part {
  readonly from: number;
  readonly to: number;
  /** In milliseconds since 1970, rounded down as `millisOf` does it. */
  readonly firstMs: number;
  readonly lastMs: number;
}

/** The millisecond that a time in nanoseconds is in. */
export function millisOf(unixNano: string): number {
  return Number(unixNano.slice(0, -6));
}

/** The indexes of the files that a reader was asked for. */
export class FileIndexes {
  readonly #indexes = new Latest<bigint, FileIndex>(MOST_FILES);

  of(ino: bigint): FileIndex {
    const index = this.#indexes.get(ino) ?? new FileIndex();
    this.#indexes.set(ino, index);
    return index;
  }
}

/**
 * Which parts of a file of the file writer's output may hold lines of a trace, without reading all of it: of each mebibyte, the
 * hashes of the trace IDs in it, some four bytes for each, and the times of its lines. Each byte of the file is looked at once, as it grows.
 */
export class FileIndex {
  readonly #mostHashes: number;
  /** Its first bytes, which begin with a time: others are another file's. */
  #file = '';
  #blocks: Block[] = [];
  #hashes = 0;
  #reading: Promise<void> | undefined;

  /** @param mostHashes only tests give one. */
  constructor(mostHashes = MOST_HASHES) {
    this.#mostHashes = mostHashes;
  }

  /**
   * The parts between the beginning and `to` that may hold lines of a trace, in their order.
   *
   * @param at.to the end of a line.
   */
  async parts(
    file: FileHandle,
    at: { readonly to: number; readonly traceId: string },
    signal: AbortSignal,
  ): Promise<readonly Part[]> {
    await this.#lookUpTo(file, at.to, signal);
    const wanted = hashOfTrace(at.traceId);
    return this.#blocks
      .filter(({ from, hashes }) => from < at.to && (hashes === undefined || holds(hashes, wanted)))
      .map(({ from, to, firstMs, lastMs }) => ({ from, to: Math.min(to, at.to), firstMs, lastMs }));
  }

  /**
   * Those of some traces that may have lines before `from`.
   *
   * @param at.to the end of a line: so far the file is looked at.
   */
  async before(
    file: FileHandle,
    at: { readonly from: number; readonly to: number; readonly traceIds: readonly string[] },
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    await this.#lookUpTo(file, at.to, signal);
    const blocks = this.#blocks.filter(({ from }) => from < at.from);
    return at.traceIds.filter((traceId) => {
      const wanted = hashOfTrace(traceId);
      return blocks.some(({ hashes }) => hashes === undefined || holds(hashes, wanted));
    });
  }

  /** One look serves all who ask at that time; who goes does not take it from the others. */
  async #lookUpTo(file: FileHandle, to: number, signal: AbortSignal): Promise<void> {
    while (this.#reading !== undefined) {
      await this.#reading.catch(() => undefined);
      signal.throwIfAborted();
    }
    const identity = await firstBytes(file);
    // Shorter than it was, or begun anew: somebody has emptied it.
    if (identity !== this.#file || (await file.stat()).size < this.#end) {
      this.#file = identity;
      this.#blocks = [];
      this.#hashes = 0;
    }
    if (this.#end >= to) return;
    this.#reading = this.#read(file, to, signal).finally(() => (this.#reading = undefined));
    await this.#reading;
  }

  get #end(): number {
    return this.#blocks.at(-1)?.to ?? 0;
  }

  async #read(file: FileHandle, to: number, signal: AbortSignal): Promise<void> {
    for await (const lines of fileLines(file, { from: this.#end, to }, signal)) {
      const room = this.#hashes < this.#mostHashes;
      const hashes = room ? hashesOf(lines) : undefined;
      this.#hashes += hashes?.length ?? 0;
      const end = lines.offset + lines.text.length;
      this.#blocks.push({ from: lines.offset, to: end, hashes, ...timesOf(lines) });
    }
  }
}

async function firstBytes(file: FileHandle): Promise<string> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
  return buffer.toString('latin1', 0, bytesRead);
}

function hashesOf({ text }: Lines): Uint32Array {
  const found = new Set<number>();
  for (let start = 0; start < text.length;) {
    const comma = text.indexOf(COMMA, start + ndjsonStart.length);
    const end = text.indexOf(LINE_FEED, start);
    if (comma !== -1 && comma < end) found.add(hashOf(text, comma, endOfId(text, comma)));
    if (end === -1) break;
    start = end + 1;
  }
  return Uint32Array.from(found).sort();
}

/** The times that the lines begin with; what is no line of ours has none. */
function timesOf({ text }: Lines): Pick<Part, 'firstMs' | 'lastMs'> {
  let [firstMs, lastMs] = [Infinity, -Infinity];
  for (let start = 0; start < text.length;) {
    let at = start;
    if (head.compare(text, start, start + head.length) === 0) {
      const digits = start + head.length;
      for (at = digits; isDigit(text[at]);) at++;
      // A number is exact to fifteen digits: until the year 33658.
      if (at - digits > 21) return { firstMs: -Infinity, lastMs: Infinity };
      let ms = 0;
      for (let digit = digits; digit < at - 6; digit++) ms = ms * 10 + text[digit]! - ZERO;
      firstMs = Math.min(firstMs, ms);
      lastMs = Math.max(lastMs, ms);
    }
    const end = text.indexOf(LINE_FEED, at);
    if (end === -1) break;
    start = end + 1;
  }
  return { firstMs, lastMs };
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= ZERO + 9;
}

function holds(sorted: Uint32Array, wanted: number): boolean {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === wanted;
}

/** Behind `,"traceId":"…"`, whose begin is given. */
function endOfId(text: Buffer, begin: number): number {
  const open = text.indexOf(QUOTE, begin + idHead.length);
  for (let at = open + 1; at < text.length; at++) {
    const byte = text[at];
    if (byte === BACKSLASH) at += 1;
    else if (byte === QUOTE || byte === LINE_FEED) return at;
  }
  return text.length;
}

const head = Buffer.from(ndjsonStart);
const idHead = ',"traceId":';

function hashOfTrace(traceId: string): number {
  const needle = Buffer.from(ndjsonTrace(traceId), 'latin1');
  return hashOf(needle, 0, endOfId(needle, 0));
}

/** FNV-1a, 32 bits. */
function hashOf(text: Buffer, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ text[at]!, 0x01000193);
  return hash >>> 0;
}
