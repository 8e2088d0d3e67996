import type { ContainerFiles } from './container-files.ts';
import type { FileTail } from './file-tail.ts';
import type { Timing } from './timing.ts';

/**
 * The end of a container that is let go: for a grace it may still write. Then what its files hold is read, and no
 * more: a pod that is only deselected goes on writing. All times as in `Pollable`.
 */
export class Drain {
  readonly #timing: Pick<Timing, 'drainGrace' | 'drainCut'>;
  readonly #files: ContainerFiles;
  #asked = false;
  #since: number | undefined;

  constructor(timing: Pick<Timing, 'drainGrace' | 'drainCut'>, files: ContainerFiles) {
    this.#timing = timing;
    this.#files = files;
  }

  /** It begins at the next look. */
  ask(): void {
    this.#asked = true;
  }

  get begun(): boolean {
    return this.#since !== undefined;
  }

  look(now: number): void {
    if (this.#asked) this.#since ??= now;
    if (this.#graceOver(now)) this.#limit();
  }

  /** The container is wanted again: what it goes on writing is read too. */
  cancel(): void {
    this.#asked = false;
    this.#since = undefined;
    for (const file of this.#files.ordered) file.limit = Infinity;
  }

  /** Whether no more is to be read than what the files hold now. */
  over(now: number): boolean {
    const over = this.begun && (this.#files.directoryGone || this.#graceOver(now));
    if (!over || this.#files.openFailure !== undefined) return false;
    this.#limit();
    return true;
  }

  /**
   * Whether the end comes between two lines of one record. Its end would be no record to a later tail, should the
   * container be followed again: it is waited for, but not for ever.
   */
  cuts(file: FileTail, withinRecord: boolean, now: number): boolean {
    const { drainGrace, drainCut } = this.#timing;
    const inTime = now - this.#since! < drainGrace + drainCut;
    return inTime && withinRecord && file.entry.live && !this.#files.directoryGone;
  }

  #graceOver(now: number): boolean {
    return this.#since !== undefined && now - this.#since >= this.#timing.drainGrace;
  }

  /** What the files hold now is the last that is read of them. */
  #limit(): void {
    for (const file of this.#files.ordered) {
      if (file.limit === Infinity && !file.deleted && !file.entry.compressed) file.limit = file.stat.size;
    }
  }
}
