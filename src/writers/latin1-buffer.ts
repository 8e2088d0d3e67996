const firstBytes = 32_768;
/** What is kept for the next use; a larger buffer, made for a large record, is not. */
const keptBytes = 4 * 2 ** 20;

/** Collects latin1 text as bytes, in memory that is used again. */
export class Latin1Buffer {
  #bytes = Buffer.allocUnsafeSlow(firstBytes);
  #length = 0;

  /** @param text of characters U+0000 to U+00FF. */
  add(text: string): void {
    const end = this.#length + text.length;
    if (end > this.#bytes.length) this.#grow(end);
    this.#bytes.write(text, this.#length, 'latin1');
    this.#length = end;
  }

  /** What was added since the last `clear()`; valid until then. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > keptBytes) this.#bytes = Buffer.allocUnsafeSlow(firstBytes);
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
