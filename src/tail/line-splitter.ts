import { type ByteSlice, copyOf, LINE_FEED, sliceOfAll } from '../util/byte-slice.ts';

/** Told of each line, with the offsets of its first byte and behind its LF. `tooLong`: only its head is kept. */
export type OnLine = (line: ByteSlice, start: number, end: number, tooLong: boolean) => void;

/**
 * Cuts lines out of the bytes of a file and knows each line's exact place in it. A line is a part of the piece that
 * it was read with and not copied, unless it began in an earlier one.
 */
export class LineSplitter {
  readonly #onLine: OnLine;
  readonly #maxBytes: number;
  /** Where the line begins whose end is not read yet. */
  #lineStart: number;
  #position: number;
  /** What is read and kept of that line. */
  #begun: Buffer[] = [];
  #kept = 0;
  #failure: Error | undefined;

  /** @param maxBytes longest line that is kept; a longer one is told as `tooLong`, in flat memory. */
  constructor(offset: number, maxBytes: number, onLine: OnLine) {
    this.#lineStart = offset;
    this.#position = offset;
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
  }

  /** Offset behind the last byte that was written. */
  get position(): number {
    return this.#position;
  }

  /** Offset behind the last complete line. */
  get lineStart(): number {
    return this.#lineStart;
  }

  /**
   * Takes the next piece of the file and hands its lines over.
   *
   * @param piece must not be changed later.
   * @throws what `onLine` throws, when all lines of the piece are taken.
   */
  write(piece: Buffer): void {
    const offset = this.#position;
    this.#position += piece.length;
    let from = 0;
    let end = piece.indexOf(LINE_FEED);
    if (offset > this.#lineStart && end >= 0) {
      this.#keep(piece.subarray(0, end));
      from = end + 1;
      this.#takeBegun(offset + from);
      end = piece.indexOf(LINE_FEED, from);
    }
    for (; end >= 0; end = piece.indexOf(LINE_FEED, from)) {
      const line = { bytes: piece, from, to: end };
      from = end + 1;
      this.#take(line, offset + from);
    }
    // A copy: it may be the begin of a line for long, and the piece is much larger.
    if (from < piece.length) this.#keep(copyOf(piece.subarray(from)));
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** The file will not grow: takes what is left as a line. */
  end(): void {
    if (this.#position > this.#lineStart) this.#takeBegun(this.#position);
    if (this.#failure !== undefined) throw this.#failure;
  }

  #keep(part: Buffer): void {
    if (this.#kept > this.#maxBytes) return;
    this.#begun.push(part);
    this.#kept += part.length;
  }

  #takeBegun(end: number): void {
    const line = sliceOfAll(this.#begun);
    this.#begun = [];
    this.#kept = 0;
    this.#take(line, end);
  }

  #take(line: ByteSlice, end: number): void {
    const start = this.#lineStart;
    this.#lineStart = end;
    try {
      this.#onLine(line, start, end, line.to - line.from > this.#maxBytes);
    } catch (error) {
      // The lines behind it are taken all the same: each is accounted for.
      this.#failure ??= new Error('Cannot take a line', { cause: error });
    }
  }
}
