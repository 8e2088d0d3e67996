import type { ContainerTail } from './container-tail.ts';
import type { FileTail } from './file-tail.ts';

export interface HeldFilesLimits {
  /** Bytes of all deleted files. */
  readonly bytes: number;
  /** Files, deleted or not, of containers that are not known to be wanted. */
  readonly unknown: number;
}

interface Held {
  readonly tail: ContainerTail;
  readonly file: FileTail;
}

/**
 * Keeps the disk from filling with deleted files that are not read yet, and the descriptors from running out:
 * beyond a limit the file deleted first is given up, and becomes a gap. Files of containers of which nobody knows
 * yet whether they are wanted go before all others.
 */
export class HeldFiles {
  readonly #limits: HeldFilesLimits;

  constructor(limits: HeldFilesLimits) {
    this.#limits = limits;
  }

  /**
   * To be called often.
   *
   * @returns the bytes of deleted files that are still held.
   */
  keepWithin(tails: Iterable<ContainerTail>): number {
    const { bytes: most, unknown } = this.#limits;
    const deleted: Held[] = [];
    let open = 0;
    for (const tail of tails) {
      if (tail.held) open += tail.files.open;
      for (const file of tail.files.ordered) {
        if (file.isOpen && file.deleted && !file.finished) deleted.push({ tail, file });
      }
    }
    deleted.sort((a, b) => Number(b.tail.held) - Number(a.tail.held) || goneSince(a) - goneSince(b));
    let bytes = deleted.reduce((sum, { file }) => sum + file.stat.size, 0);
    for (const { tail, file } of deleted) {
      const crowded = tail.held && open >= unknown;
      if (bytes <= most && !crowded) break;
      bytes -= file.stat.size;
      if (tail.held) open--;
      tail.giveUp(file, crowded ? 'held_files_limit' : 'held_files_budget');
    }
    return bytes;
  }
}

function goneSince({ file }: Held): number {
  return file.deletedSince ?? 0;
}
