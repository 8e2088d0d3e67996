import type { Writable } from 'node:stream';
import split2 from 'split2';

/** Told of each line, with the offsets of its first byte and behind its LF. `tooLong`: only its head is kept. */
export type OnLine = (line: string, start: number, end: number, tooLong: boolean) => void;

/**
 * Cuts lines out of the bytes of a file and knows each line's exact place in it. split2 is fed with latin1
 * text, so that a character is a byte, and hands lines to its mapper, which runs within `write()`: when that
 * returns, every complete line has been taken. (As a stream of lines it is three times slower.)
 */
export class LineSplitter {
  readonly #splitter: Writable;
  readonly #maxBytes: number;
  #failure: Error | undefined;
  /** Where the line begins whose end is not read yet. */
  #lineStart: number;
  #position: number;
  /** Bytes of the unfinished line that were dropped, once it became too long. */
  #dropped = 0;
  #dropping = false;

  /** @param maxBytes longest line that is kept; a longer one is told as `tooLong`, in flat memory. */
  constructor(offset: number, maxBytes: number, onLine: OnLine) {
    this.#lineStart = offset;
    this.#position = offset;
    this.#maxBytes = maxBytes;
    const take = (line: string): undefined => {
      const start = this.#lineStart;
      const length = line.length + this.#dropped;
      // At the very end of a file the last line may have no LF.
      this.#lineStart = Math.min(start + length + 1, this.#position);
      this.#dropped = 0;
      try {
        onLine(line, start, this.#lineStart, length > maxBytes);
      } catch (error) {
        // Thrown through split2 it would come out as an event, later.
        this.#failure ??= new Error('Cannot take a line', { cause: error });
      }
    };
    this.#splitter = split2('\n', take, { decodeStrings: false });
  }

  /** Offset behind the last byte that was written. */
  get position(): number {
    return this.#position;
  }

  /** Offset behind the last complete line. */
  get lineStart(): number {
    return this.#lineStart;
  }

  /** @throws what `onLine` throws. */
  write(text: string): void {
    this.#position += text.length;
    const lineFeed = this.#dropping ? text.indexOf('\n') : 0;
    if (lineFeed < 0) {
      this.#dropped += text.length;
      return;
    }
    this.#dropped += lineFeed;
    this.#dropping = false;
    this.#feed(lineFeed === 0 ? text : text.slice(lineFeed));
    this.#dropping = this.#position - this.#lineStart > this.#maxBytes;
  }

  /** The file will not grow: takes what is left as a line. */
  end(): void {
    if (this.#position > this.#lineStart) this.#feed('\n');
  }

  #feed(text: string): void {
    this.#splitter.write(text);
    if (this.#failure !== undefined) throw this.#failure;
  }
}
