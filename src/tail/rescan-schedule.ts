import type { Timing } from './timing.ts';

/** A directory changed so shortly before it was listed may change again without a new time (kernel tick: 4 ms). */
const RACY_MS = 50;

/**
 * When to list a directory: as soon as its time tells that a name appeared, changed or went; after a while in
 * any case; and when asked to.
 */
export class RescanSchedule {
  readonly #timing: Timing;
  readonly #changeTimes: () => number[];
  #nextLook = 0;
  #next = 0;
  /** Undefined: whatever it is, it is new. */
  #known: readonly number[] | undefined;
  /** Every name that was there at this time has been listed, as far as `begin` was told so. */
  listedTo = -Infinity;

  /** @param changeTimes of the directories, in milliseconds since 1970; cheap. */
  constructor(timing: Timing, changeTimes: () => number[]) {
    this.#timing = timing;
    this.#changeTimes = changeTimes;
  }

  /** @param now as in `Pollable`. */
  due(now: number): boolean {
    if (now >= this.#next) return true;
    if (now < this.#nextLook) return false;
    this.#nextLook = now + this.#timing.directoryLook;
    if (!this.#areKnown(this.#changeTimes())) return true;
    this.listedTo = now;
    return false;
  }

  /** To be called before listing. Returns what to call when it is done. */
  begin(now: number): (failed: boolean) => void {
    const times = this.#changeTimes();
    const racy = times.some((time) => Math.abs(Date.now() - time) < RACY_MS);
    return (failed) => {
      // What was found may lead to more directories: then the times differ, and it is listed once more.
      this.#known = racy ? undefined : times;
      this.#next = now + (failed ? Math.min(1000, this.#timing.rescan) : this.#timing.rescan);
      // A name that changes while names are listed may not be among them.
      if (!failed && this.#areKnown(this.#changeTimes())) this.listedTo = now;
    };
  }

  soon(): void {
    this.#next = 0;
  }

  #areKnown(times: readonly number[]): boolean {
    const known = this.#known;
    return known?.length === times.length && times.every((time, index) => time === known[index]);
  }
}
