/** Who has not asked again for so long does not wait any more, in milliseconds: asked is at least once a second. */
const GONE_MS = 5_000;

/** The order in which those are served that want one more of what there is not enough of: the one that waits longest first. */
export class Turns<T> {
  /** When they last asked, the one that waits longest first; as `steadyNow`. */
  readonly #waiting = new Map<T, number>();

  /**
   * Whether `who` may take one of so many that are free, now; who may not keeps its place until it asks again.
   *
   * @param now as `steadyNow`.
   */
  mayTake(who: T, free: number, now: number): boolean {
    if (this.#waiting.size >= free && this.#ahead(who, now) >= free) {
      this.#waiting.set(who, now);
      return false;
    }
    this.#waiting.delete(who);
    return true;
  }

  /** How many wait. */
  waiting(now: number): number {
    for (const [who, askedAt] of this.#waiting) if (now - askedAt > GONE_MS) this.#waiting.delete(who);
    return this.#waiting.size;
  }

  #ahead(who: T, now: number): number {
    let ahead = 0;
    for (const [other, askedAt] of this.#waiting) {
      if (other === who) break;
      if (now - askedAt <= GONE_MS) ahead++;
    }
    return ahead;
  }
}
