import type { SkipReason } from '../offsets/ledger.ts';
import type { ByteSlice } from '../util/byte-slice.ts';

/** A line that was skipped, for people who wonder why. */
export interface SkipSample {
  /** The begin of it, as the container wrote it: any text, possibly hostile. */
  readonly text: string;
  /** When it was skipped, in milliseconds since 1970. */
  readonly at: number;
}

const LONGEST = 400;

/** One line for each reason of a container's skips: a late one, yet most of them cost no more than a count. */
export class SkipSamples {
  readonly #counts = new Map<SkipReason, number>();
  readonly #samples = new Map<SkipReason, SkipSample>();

  note(reason: SkipReason, { bytes, from, to }: ByteSlice): void {
    const count = (this.#counts.get(reason) ?? 0) + 1;
    this.#counts.set(reason, count);
    // The first, second, fourth, eighth …: one that is kept is of the younger half.
    if ((count & (count - 1)) !== 0) return;
    const text = bytes.toString('utf8', from, Math.min(to, from + LONGEST));
    this.#samples.set(reason, { text: to - from > LONGEST ? `${text}…` : text, at: Date.now() });
  }

  get(reason: SkipReason): SkipSample | undefined {
    return this.#samples.get(reason);
  }
}
