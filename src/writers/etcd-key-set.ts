import type { ByteBuffer } from './byte-buffer.ts';

/** Bytes at the end of a key that are hashed: the identity of its record, in which keys differ. */
const HASHED_BYTES = 29;
/** Numbers a slot: the hash of a key, where it begins, and its length; 0 where none is. */
const SLOT = 3;

/** Tells which keys are new, by their bytes: a text for each would be the most of what a batch leaves to V8's collector. */
export class KeySet {
  readonly #keys: ByteBuffer;
  /** A hash table with open addressing, at most half full. */
  readonly #slots: Int32Array;
  readonly #mask: number;

  /**
   * @param keys where the keys' bytes are.
   * @param most keys that are ever added.
   */
  constructor(keys: ByteBuffer, most: number) {
    const slots = 2 ** Math.ceil(Math.log2(2 * most + 1));
    this.#keys = keys;
    this.#slots = new Int32Array(SLOT * slots);
    this.#mask = slots - 1;
  }

  /** Adds the key that stands there. False where it was added before. */
  add(from: number, to: number): boolean {
    const keys = this.#keys;
    const slots = this.#slots;
    const hash = keys.hash(Math.max(from, to - HASHED_BYTES), to);
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const at = SLOT * slot;
      const length = slots[at + 2]!;
      if (length === 0) {
        slots[at] = hash;
        slots[at + 1] = from;
        slots[at + 2] = to - from;
        return true;
      }
      const begin = slots[at + 1]!;
      if (slots[at] === hash && keys.same(begin, begin + length, from, to)) return false;
    }
  }
}
