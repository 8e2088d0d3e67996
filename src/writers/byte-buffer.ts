import type { LogRecord } from '../record/log-record.ts';

const firstBytes = 32_768;
/** What is kept for the next use; a larger buffer, made for a large record, is not. */
const keptBytes = 4 * 2 ** 20;

/** Collects text and records as bytes, in memory that is used again. */
export class ByteBuffer {
  #bytes = Buffer.allocUnsafeSlow(firstBytes);
  #length = 0;

  /** @param text of characters U+0000 to U+00FF. */
  add(text: string): void {
    this.#makeRoom(text.length);
    this.#length += this.#bytes.write(text, this.#length, 'latin1');
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

  /** Bytes that were added since the last `clear()`. */
  get length(): number {
    return this.#length;
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
