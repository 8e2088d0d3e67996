export interface Weight<T> {
  readonly of: (one: T) => number;
  /** Of all that are kept; one alone may weigh more. */
  readonly most: number;
}

/** Keeps the smallest of all that are added, at most so many, and of so much weight; takes room for twice as many. */
export class Smallest<T> {
  readonly #most: number;
  readonly #compare: (a: T, b: T) => number;
  readonly #weight: Weight<T>;
  #kept: T[] = [];
  #weighs = 0;
  /** Full once: nothing above it counts. */
  #largest: T | undefined;
  #isCut = false;

  constructor(
    most: number,
    compare: (a: T, b: T) => number,
    weight: Weight<T> = { of: () => 0, most: Infinity },
  ) {
    this.#most = most;
    this.#compare = compare;
    this.#weight = weight;
  }

  /** Whether there were more than are kept. */
  get isCut(): boolean {
    return this.#isCut;
  }

  add(one: T): void {
    if (this.#largest !== undefined && this.#compare(one, this.#largest) > 0) {
      this.#isCut = true;
      return;
    }
    this.#kept.push(one);
    this.#weighs += this.#weight.of(one);
    if (this.#kept.length >= 2 * this.#most || this.#weighs >= 2 * this.#weight.most) this.#trim();
  }

  /** Where as many are kept as may be, the largest of them: what is above it does not count. */
  largest(): T | undefined {
    if (this.#kept.length >= this.#most) this.#trim();
    return this.#largest;
  }

  sorted(): readonly T[] {
    this.#trim();
    return this.#kept;
  }

  #trim(): void {
    this.#kept.sort(this.#compare);
    let fit = 0;
    let weighs = 0;
    for (; fit < Math.min(this.#kept.length, this.#most); fit++) {
      const more = weighs + this.#weight.of(this.#kept[fit]!);
      if (more > this.#weight.most && fit > 0) break;
      weighs = more;
    }
    this.#weighs = weighs;
    if (this.#kept.length < this.#most && fit === this.#kept.length) return;
    this.#isCut ||= fit < this.#kept.length;
    this.#kept.length = fit;
    this.#largest = this.#kept.at(-1);
  }
}
