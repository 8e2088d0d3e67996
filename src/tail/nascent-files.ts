import { closeSync } from 'node:fs';
import type { LogEntry } from './list-logs.ts';

/** A file that has no complete first line yet, so no identity. */
export interface Nascent {
  readonly fd: number;
  entry: LogEntry;
}

/** Files that wait for their first line, by inode. They are open: their names may go before it comes. */
export class NascentFiles {
  readonly #files = new Map<string, Nascent>();

  get size(): number {
    return this.#files.size;
  }

  /** Whether any of them is of this run of the container. */
  hasOf(generation: number): boolean {
    return [...this.#files.values()].some(({ entry }) => entry.generation === generation);
  }

  /** All of them with their inodes, as of now: they may be taken and added again meanwhile. */
  list(): [string, Nascent][] {
    return [...this.#files];
  }

  add(inode: string, fd: number, entry: LogEntry): void {
    this.#files.set(inode, { fd, entry });
  }

  /** It has that name now. False where none of this inode waits. */
  seenAs(entry: LogEntry, inode: string): boolean {
    const nascent = this.#files.get(inode);
    if (nascent !== undefined) nascent.entry = entry;
    return nascent !== undefined;
  }

  /** It waits no longer; its descriptor is the caller's. */
  take(inode: string): void {
    this.#files.delete(inode);
  }

  close(): void {
    for (const { fd } of this.#files.values()) closeSync(fd);
    this.#files.clear();
  }
}
