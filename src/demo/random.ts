const nameLetters = 'bcdfghjklmnpqrstvwxz2456789'.split('');

/** Numbers that look random and are the same for the same seed (sfc32, from the PractRand suite). */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param seed a whole number; only its lower 53 bits count. */
  constructor(seed: number) {
    this.#a = seed >>> 0;
    this.#b = Math.floor(seed / 2 ** 32) >>> 0;
    this.#c = 0x9e3779b9;
    // The first outputs of neighbouring seeds resemble each other.
    for (let i = 0; i < 12; i++) this.#uint32();
  }

  /** At least 0 and less than 1. */
  next(): number {
    return this.#uint32() / 2 ** 32;
  }

  /** A whole number, both bounds included. */
  int(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  /** True with the probability `p` (0 to 1). */
  chance(p: number): boolean {
    return this.next() < p;
  }

  /** @throws RangeError where the list is empty. */
  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new RangeError('Cannot pick: the list is empty');
    return list[this.int(0, list.length - 1)] as T;
  }

  /** Lower-case hexadecimal digits. */
  hex(digits: number): string {
    let text = '';
    while (text.length < digits) text += this.#uint32().toString(16).padStart(8, '0');
    return text.slice(0, digits);
  }

  /** Letters and digits as Kubernetes puts them into names: none that could spell a word. */
  nameSuffix(length: number): string {
    return Array.from({ length }, () => this.pick(nameLetters)).join('');
  }

  /** A version 4 UUID, as Kubernetes gives pods. */
  uuid(): string {
    const h = this.hex(30);
    const variant = this.pick(['8', '9', 'a', 'b']);
    return `${h.slice(0, 8)}-${h.slice(8, 12)}-4${h.slice(12, 15)}-${variant}${h.slice(15, 18)}-${h.slice(18, 30)}`;
  }

  #uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) >>> 0;
    this.#counter = (this.#counter + 1) >>> 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) >>> 0;
    return sum;
  }
}
