/** Longer strings made by `+=` cost more to flatten than a write into a buffer does (measured: half the speed). */
const pieceLength = 16_384;
/** What is kept for the next use; a larger buffer, made for a large record, is not. */
const keptBytes = 4 * 2 ** 20;

/** Collects latin1 text as bytes, in memory that is used again. */
export class Latin1Buffer {
  #bytes = Buffer.allocUnsafeSlow(2 * pieceLength);
  #length = 0;
  #piece = '';

  /** @param text of characters U+0000 to U+00FF. */
  add(text: string): void {
    this.#piece += text;
    if (this.#piece.length >= pieceLength) this.#flush();
  }

  /** What was added since the last `clear()`; valid until then. */
  bytes(): Buffer {
    this.#flush();
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
    this.#piece = '';
    if (this.#bytes.length > keptBytes) this.#bytes = Buffer.allocUnsafeSlow(2 * pieceLength);
  }

  #flush(): void {
    const needed = this.#length + this.#piece.length;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    this.#length += this.#bytes.write(this.#piece, this.#length, 'latin1');
    this.#piece = '';
  }
}
