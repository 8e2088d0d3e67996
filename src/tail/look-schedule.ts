import { TICK_MS } from './read-loop.ts';
import type { Timing } from './timing.ts';

/** Those that one loop looks at. */
export interface Containers {
  readonly size: number;
  readonly busy: number;
}

/**
 * When to look at a container again: often while it writes, seldom once it is quiet, and the less often the more
 * containers there are. All look at the same times: many quiet ones wake the process as seldom as one.
 */
export class LookSchedule {
  readonly #timing: Timing;
  /** When it was first looked at: what is new is not quiet yet. */
  #since = Infinity;
  next = 0;
  /** It wrote lately, or is new. */
  busy = true;

  constructor(timing: Timing) {
    this.#timing = timing;
  }

  /**
   * Whether a look is due; then the one after it is set. Times as in `Pollable`.
   *
   * @param containers how many are looked at, and how many of these are busy.
   * @param lastData when it last wrote.
   */
  due(now: number, containers: Containers, lastData: number): boolean {
    // A timer may come a fraction of a millisecond early.
    if (now < this.next - 1) return false;
    const period = this.#period(now, containers, lastData);
    this.next = (Math.floor((now + 1) / period) + 1) * period;
    return true;
  }

  #period(now: number, { size, busy }: Containers, lastData: number): number {
    const { quietAfter, busyLook, busySpacing, mostBusyLook } = this.#timing;
    const { quietLook, quietSpacing, mostQuietLook } = this.#timing;
    this.#since = Math.min(this.#since, now);
    this.busy = now - Math.max(lastData, this.#since) < quietAfter;
    return this.busy
      ? Math.max(busyLook, ticks(Math.min(mostBusyLook, busy * busySpacing)))
      : Math.max(quietLook, ticks(Math.min(mostQuietLook, size * quietSpacing)));
  }
}

function ticks(ms: number): number {
  return Math.ceil(ms / TICK_MS) * TICK_MS;
}
