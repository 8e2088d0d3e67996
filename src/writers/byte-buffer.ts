import type { LogRecord } from '../record/log-record.ts';
import { isInBytes } from './is-in-bytes.ts';

const firstBytes = 32_768;
const idBytes = 29;
/** At most. */
const unixNanoBytes = 21;
/** What is kept for the next use; a larger buffer, made for a large record, is not. */
const keptBytes = 4 * 2 ** 20;

/** Collects text and records as bytes, in memory that is used again. */
export class ByteBuffer {
  #bytes: Buffer;
  #length = 0;

  /** @param expected about so many bytes will be added. */
  constructor(expected = firstBytes) {
    this.#bytes = Buffer.allocUnsafeSlow(expected);
  }

  /** @param text of characters U+0000 to U+00FF. */
  add(text: string): void {
    this.#makeRoom(text.length);
    this.#length += this.#bytes.write(text, this.#length, 'latin1');
  }

  /** @param text of any characters, which become UTF-8. */
  addUtf8(text: string): void {
    this.#makeRoom(Buffer.byteLength(text, 'utf8'));
    this.#length += this.#bytes.write(text, this.#length, 'utf8');
  }

  /** A few characters, U+0000 to U+00FF. */
  addShort(text: string): void {
    const { length } = text;
    this.#makeRoom(length);
    for (let i = 0; i < length; i++) this.#bytes[this.#length + i] = text.charCodeAt(i);
    this.#length += length;
  }

  /** @param bytes a few. */
  addBytes(bytes: Buffer): void {
    const { length } = bytes;
    this.#makeRoom(length);
    for (let i = 0; i < length; i++) this.#bytes[this.#length + i] = bytes[i]!;
    this.#length += length;
  }

  addRecord(record: Pick<LogRecord, 'byteLength' | 'copyTo'>): void {
    this.#makeRoom(record.byteLength);
    this.#length = record.copyTo(this.#bytes, this.#length);
  }

  addUnixNano(record: LogRecord): void {
    if (!isInBytes(record)) return this.addShort(record.unixNano);
    this.#makeRoom(unixNanoBytes);
    this.#length = record.copyUnixNanoTo(this.#bytes, this.#length);
  }

  addId(record: LogRecord): void {
    if (!isInBytes(record)) return this.addShort(record.id);
    this.#makeRoom(idBytes);
    this.#length = record.copyIdTo(this.#bytes, this.#length);
  }

  /** Adds the trace ID as a JSON text has it between its quotation marks. False where it is not at hand so. */
  addPlainTraceId(record: LogRecord): boolean {
    if (!isInBytes(record)) return false;
    this.#makeRoom(record.traceIdLength);
    const end = record.copyTraceIdTo(this.#bytes, this.#length);
    if (end !== -1) this.#length = end;
    return end !== -1;
  }

  /** Whether either of these bytes was added behind that place. */
  has(one: number, other: number, from: number): boolean {
    for (let i = from; i < this.#length; i++)
      if (this.#bytes[i] === one || this.#bytes[i] === other) return true;
    return false;
  }

  /** A hash of 32 bits (FNV-1a) of what was added there. */
  hash(from: number, to: number): number {
    let hash = 0x811c9dc5;
    for (let i = from; i < to; i++) hash = Math.imul(hash ^ this.#bytes[i]!, 0x01000193);
    return hash;
  }

  /** Whether the same was added at two places. */
  same(from: number, to: number, otherFrom: number, otherTo: number): boolean {
    return this.#bytes.compare(this.#bytes, otherFrom, otherTo, from, to) === 0;
  }

  /** Copies what was added there. Returns the place behind it. */
  copyTo(target: Buffer, at: number, from: number, to: number): number {
    return at + this.#bytes.copy(target, at, from, to);
  }

  /** Bytes that were added since the last `clear()`. */
  get length(): number {
    return this.#length;
  }

  /** The memory itself, with room for so many bytes more behind `length`. What is written there counts with `extend()`. */
  reserve(most: number): Buffer {
    this.#makeRoom(most);
    return this.#bytes;
  }

  /** Adds what was written to what `reserve()` gave. @param length all that is there now. */
  extend(length: number): void {
    this.#length = length;
  }

  /** Takes back what was added last. @param length what is left, at most as much as there is. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** What was added since the last `clear()`; valid until then. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > keptBytes) this.#bytes = Buffer.allocUnsafeSlow(firstBytes);
  }

  #makeRoom(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
