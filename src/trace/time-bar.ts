import { compareUnixNano } from './stored-record.ts';

const CELLS = 20;

/** Draws the time of a trace from left to right, in each line the part between the line before and this one. */
export class TimeBar {
  readonly #first: bigint;
  readonly #span: bigint;
  #before: string;

  constructor(first: string, last: string) {
    this.#first = BigInt(first);
    this.#span = BigInt(last) - this.#first;
    this.#before = first;
  }

  /** @returns always 20 characters; `long` where a fifth of the time passed since the line before. */
  next(unixNano: string): { text: string; long: boolean } {
    const [from, to] = [this.#share(this.#before), this.#share(unixNano)];
    if (compareUnixNano(unixNano, this.#before) > 0) this.#before = unixNano;
    const start = Math.min(CELLS - 1, Math.floor(from * CELLS));
    const end = Math.min(CELLS, Math.max(start + 1, Math.ceil(to * CELLS)));
    return {
      text: `${' '.repeat(start)}${'━'.repeat(end - start)}`.padEnd(CELLS),
      long: to - from >= 0.2,
    };
  }

  #share(unixNano: string): number {
    if (this.#span <= 0n) return 0;
    return Math.min(1, Math.max(0, Number(BigInt(unixNano) - this.#first) / Number(this.#span)));
  }
}
