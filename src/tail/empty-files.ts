import { lstatSync } from 'node:fs';
import { inodeKey } from './known-inodes.ts';
import type { LogEntry } from './list-logs.ts';

/** Files that hold nothing yet, and are left closed since descriptors are short. */
export class EmptyFiles {
  #files: { readonly entry: LogEntry; readonly inode: string }[] = [];

  add(entry: LogEntry, inode: string): void {
    this.#files.push({ entry, inode });
  }

  clear(): void {
    if (this.#files.length > 0) this.#files = [];
  }

  /** Whether any of them is of this run of the container. */
  hasOf(generation: number): boolean {
    return this.#files.some(({ entry }) => entry.generation === generation);
  }

  /** Whether one of them may hold something by now. */
  get hasGrown(): boolean {
    return this.#files.length > 0 && this.#files.some(({ entry, inode }) => holdsMore(entry.path, inode));
  }
}

function holdsMore(path: string, inode: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat === undefined || stat.size > 0 || inodeKey(stat) !== inode;
}
