/** Keeps the smallest of all that are added, at most so many; takes room for twice as many. */
export class Smallest<T> {
  readonly #most: number;
  readonly #compare: (a: T, b: T) => number;
  #kept: T[] = [];
  /** Full once: nothing above it counts. */
  #largest: T | undefined;

  constructor(most: number, compare: (a: T, b: T) => number) {
    this.#most = most;
    this.#compare = compare;
  }

  add(one: T): void {
    if (this.#largest !== undefined && this.#compare(one, this.#largest) > 0) return;
    this.#kept.push(one);
    if (this.#kept.length >= 2 * this.#most) this.#trim();
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
    if (this.#kept.length < this.#most) return;
    this.#kept.length = this.#most;
    this.#largest = this.#kept.at(-1);
  }
}
