import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { OutputFile } from './file-names.ts';
import { ndjsonIdAt } from './ndjson.ts';

const idPattern = /^[0-9a-f]{16}-[0-9a-f]{12}$/;

/** So much of what was written last is looked through, in bytes before any compression. */
const WRITTEN_BYTES = 64 * 2 ** 20;

/**
 * The records that were written last, by another process: what it had not saved the offsets of comes again.
 * Eight bytes for each.
 */
export class WrittenRecords {
  /** Offsets by file, ascending. */
  readonly #offsets: ReadonlyMap<string, Float64Array>;

  private constructor(offsets: ReadonlyMap<string, Float64Array>) {
    this.#offsets = offsets;
  }

  /**
   * Reads the end of the output.
   *
   * @param files the oldest first.
   * @returns undefined where it holds no identity.
   */
  static async read(
    files: readonly OutputFile[],
    bytes = WRITTEN_BYTES,
  ): Promise<WrittenRecords | undefined> {
    const found = new Map<string, number[]>();
    let left = bytes;
    for (const file of files.toReversed()) {
      if (left <= 0) break;
      left -= await gather(file, left, found);
    }
    if (found.size === 0) return undefined;
    return new WrittenRecords(
      new Map([...found].map(([fileId, list]) => [fileId, Float64Array.from(list).sort()])),
    );
  }

  /** Whether the record was among them. @param id of a record. */
  has(id: string): boolean {
    const offsets = this.#offsets.get(id.slice(0, 16));
    if (offsets === undefined) return false;
    const wanted = Number.parseInt(id.slice(17), 16);
    let low = 0;
    for (let high = offsets.length - 1; low < high;) {
      const middle = (low + high) >>> 1;
      if (offsets[middle]! < wanted) low = middle + 1;
      else high = middle;
    }
    return offsets[low] === wanted;
  }
}

/** @returns how many bytes were looked through. */
async function gather(
  { path, compressed }: OutputFile,
  most: number,
  found: Map<string, number[]>,
): Promise<number> {
  const start = compressed ? 0 : Math.max(0, (await stat(path)).size - most);
  const source: Readable = createReadStream(path, { start, highWaterMark: 2 ** 20 });
  const bytes = compressed ? source.compose(createGunzip()) : source;
  let rest: Buffer = Buffer.alloc(0);
  let looked = 0;
  for await (const chunk of bytes as AsyncIterable<Buffer>) {
    looked += chunk.length;
    const text = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let lineStart = 0;
    for (let end = text.indexOf(0x0a); end !== -1; end = text.indexOf(0x0a, lineStart)) {
      const id = ndjsonIdAt(text, end);
      if (id !== undefined && idPattern.test(id)) {
        const fileId = id.slice(0, 16);
        const offset = Number.parseInt(id.slice(17), 16);
        const list = found.get(fileId);
        if (list === undefined) found.set(fileId, [offset]);
        else list.push(offset);
      }
      lineStart = end + 1;
    }
    // Only the end of a line matters.
    rest = text.subarray(Math.max(lineStart, text.length - 128));
  }
  return looked;
}
