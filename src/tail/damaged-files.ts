import { steadyNow } from '../util/steady-now.ts';

/**
 * Compressed files whose begin is damaged or not there yet, by inode: they are still being written by somebody, or
 * will never be readable. Which of the two, only time tells.
 */
export class DamagedFiles {
  readonly #tornAfter: number;
  /** Since when, as `steadyNow`; Infinity once it was given up. */
  readonly #since = new Map<string, number>();

  /** @param tornAfter one is given up after so long, in milliseconds. */
  constructor(tornAfter: number) {
    this.#tornAfter = tornAfter;
  }

  /**
   * It could not be read, again.
   *
   * @returns `wait` where it is worth another try, `over` where it has just become too old for that, `known` where
   *   that was told before.
   */
  met(inode: string, compressed: boolean, now = steadyNow()): 'wait' | 'over' | 'known' {
    const since = this.#since.get(inode);
    if (since === Infinity) return 'known';
    const over = compressed && since !== undefined && now - since >= this.#tornAfter;
    this.#since.set(inode, over ? Infinity : (since ?? now));
    return over ? 'over' : 'wait';
  }

  /** Forgets those that are not there any more. */
  keepOnly(inodes: ReadonlySet<string>): void {
    for (const inode of this.#since.keys()) if (!inodes.has(inode)) this.#since.delete(inode);
  }
}
