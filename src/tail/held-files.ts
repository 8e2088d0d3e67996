import { readFileSync } from 'node:fs';
import type { ContainerTail } from './container-tail.ts';
import type { FileTail } from './file-tail.ts';

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
  readonly #bytes: number;
  readonly #descriptors: number;
  #open = 0;

  /**
   * @param limits `bytes` of all deleted files; `descriptors` of the files, deleted or not, of containers that are
   * not known to be wanted.
   */
  constructor({ bytes, descriptors }: { readonly bytes: number; readonly descriptors: number }) {
    this.#bytes = bytes;
    this.#descriptors = descriptors;
  }

  /** Whether one more file may be opened of a container that is not known to be wanted. */
  readonly mayOpen = (): boolean => this.#open++ < this.#descriptors;

  /**
   * To be called often: `mayOpen` counts from here on.
   *
   * @returns the bytes of deleted files that are still held.
   */
  keepWithin(tails: Iterable<ContainerTail>): number {
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
      const crowded = tail.held && open >= this.#descriptors;
      if (bytes <= this.#bytes && !crowded) break;
      bytes -= file.stat.size;
      if (tail.held) open--;
      tail.giveUp(file, crowded ? 'held_files_limit' : 'held_files_budget');
    }
    this.#open = open;
    return bytes;
  }
}

/** So many descriptors may be spent on containers that are not known to be wanted: a quarter of all, 2,000 at most. */
export function heldDescriptors(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return Math.min(2_000, Math.floor(Number(soft ?? 4_000) / 4));
  } catch {
    return 1_000; // No Linux: a laptop.
  }
}

function goneSince({ file }: Held): number {
  return file.deletedSince ?? 0;
}
