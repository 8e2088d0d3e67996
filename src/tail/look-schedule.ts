import { TICK_MS } from './read-loop.ts';
import type { Timing } from './timing.ts';

/**
 * When to look at a container again: often while it writes, seldom once it is quiet, and the less often the more
 * containers there are. All look at the same times: many quiet ones wake the process as seldom as one.
 */
export class LookSchedule {
  readonly #timing: Timing;
  /** When it was first looked at: what is new is not quiet yet. */
  #since = Infinity;
  next = 0;

  constructor(timing: Timing) {
    this.#timing = timing;
  }

  /**
   * Whether a look is due; then the one after it is set. Times as in `Pollable`.
   *
   * @param containers that are looked at in all.
   * @param lastData when it last wrote.
   */
  due(now: number, containers: number, lastData: number): boolean {
    // A timer may come a fraction of a millisecond early.
    if (now < this.next - 1) return false;
    const period = this.#period(now, containers, lastData);
    this.next = (Math.floor((now + 1) / period) + 1) * period;
    return true;
  }

  #period(now: number, containers: number, lastData: number): number {
    const { busyLook, quietLook, quietAfter, lookSpacing, spacedLook } = this.#timing;
    this.#since = Math.min(this.#since, now);
    const quiet = now - Math.max(lastData, this.#since) >= quietAfter;
    const spaced = Math.min(spacedLook, containers * lookSpacing);
    return Math.max(quiet ? quietLook : busyLook, Math.ceil(spaced / TICK_MS) * TICK_MS);
  }
}
