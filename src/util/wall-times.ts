import { steadyNow } from './steady-now.ts';

/** A span in which the wall clock was not set. */
interface Span {
  /** By the steady clock: it began after this look at the clocks, and had begun by this one. */
  readonly after: number;
  readonly seenAt: number;
  /** When it was last looked at. */
  to: number;
  /** The least that the wall clock was ahead of the steady one, in milliseconds; negative behind. */
  ahead: number;
}

/** The clocks are read one after the other, and the wall's to whole milliseconds: less than this is no setting. */
const JITTER_MS = 20;
const MOST_SPANS = 100;

/**
 * Translates times of the steady clock to times of the wall clock, by which lines are stamped, and which may be set
 * meanwhile, forwards or back.
 */
export class WallTimes {
  readonly #steady: () => number;
  readonly #wall: () => number;
  readonly #spans: Span[] = [];

  constructor(steady: () => number = steadyNow, wall: () => number = () => Date.now()) {
    this.#steady = steady;
    this.#wall = wall;
    this.look();
  }

  /** Looks at the clocks; to be called often. Returns the steady clock's time. */
  look(): number {
    const now = this.#steady();
    const ahead = this.#wall() - now;
    const last = this.#spans.at(-1);
    if (last !== undefined && Math.abs(ahead - last.ahead) < JITTER_MS) {
      last.to = now;
      last.ahead = Math.min(last.ahead, ahead);
    } else {
      this.#spans.push({ after: last?.to ?? -Infinity, seenAt: now, to: now, ahead });
      if (this.#spans.length > MOST_SPANS) this.#spans.shift();
    }
    return now;
  }

  /** The earliest time that the wall clock has shown at this time of the steady clock or since. */
  earliestSince(steady: number): number {
    let earliest = Infinity;
    for (const [index, { after, ahead }] of this.#spans.entries()) {
      const end = this.#spans[index + 1]?.seenAt ?? Infinity;
      // The oldest spans that were forgotten count as the first that is known.
      const from = index === 0 ? -Infinity : after;
      if (steady <= end) earliest = Math.min(earliest, Math.max(steady, from) + ahead);
    }
    return earliest;
  }
}
