import { readFileSync } from 'node:fs';
import type { ContainerTail } from './container-tail.ts';
import type { FileTail } from './file-tail.ts';

export interface HeldFilesLimits {
  /** Bytes of all deleted files. */
  readonly bytes: number;
  /** Files, deleted or not, of containers that are not known to be wanted. */
  readonly descriptors: number;
  /** All files. */
  readonly files?: number;
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
  readonly #bytes: number;
  readonly #descriptors: number;
  readonly #files: number;
  /** Files that are open, and those of them whose containers are not known to be wanted. */
  #all = 0;
  #open = 0;

  constructor({ bytes, descriptors, files = Infinity }: HeldFilesLimits) {
    this.#bytes = bytes;
    this.#descriptors = descriptors;
    this.#files = files;
  }

  /** Whether one more file may be opened. @param wanted whether its container is known to be wanted. */
  readonly mayOpen = (wanted: boolean): boolean => {
    if (this.#all >= this.#files || (!wanted && this.#open >= this.#descriptors)) return false;
    this.#all++;
    if (!wanted) this.#open++;
    return true;
  };

  /**
   * To be called often: `mayOpen` counts from here on.
   *
   * @returns the bytes of deleted files that are still held.
   */
  keepWithin(tails: Iterable<ContainerTail>): number {
    const deleted: Held[] = [];
    let all = 0;
    let open = 0;
    for (const tail of tails) {
      if (tail.held) open += tail.files.open;
      all += tail.files.nascent;
      for (const file of tail.files.ordered) {
        if (file.isOpen) all++;
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
    this.#all = all;
    this.#open = open;
    return bytes;
  }
}

/** The rest of the agent needs so many: modules that are loaded when they are needed, sockets, its own files. */
const RESERVED = 64;

/**
 * How many descriptors may be spent on log files: all but a reserve, and of those a quarter of all, 2,000 at most, on
 * containers that are not known to be wanted.
 */
export function descriptorLimits(): Pick<Required<HeldFilesLimits>, 'descriptors' | 'files'> {
  const limit = softLimit();
  return {
    descriptors: Math.min(2_000, Math.floor(limit / 4)),
    files: Math.max(Math.floor(limit / 4), limit - RESERVED),
  };
}

function softLimit(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return Number(soft ?? 4_000);
  } catch {
    return 4_000; // No Linux: a laptop.
  }
}

function goneSince({ file }: Held): number {
  return file.deletedSince ?? 0;
}
