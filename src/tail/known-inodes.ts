import type { Stats } from 'node:fs';
import type { FileTail } from './file-tail.ts';
import type { LogEntry } from './list-logs.ts';

/** An inode that a log was seen under; its birth time tells it from a later file of the same inode. */
interface Link {
  readonly file: FileTail;
  readonly birthtimeMs: number;
}

/** Under which inodes logs were seen: what is known need not be opened at every listing. */
export class KnownInodes {
  readonly #links = new Map<string, Link>();

  link(inode: string, file: FileTail, { birthtimeMs }: Stats): void {
    this.#links.set(inode, { file, birthtimeMs });
  }

  unlink(file: FileTail): void {
    for (const [inode, link] of this.#links) if (link.file === file) this.#links.delete(inode);
  }

  /** The log that the inode still holds; undefined where there is reason to open it. */
  current(inode: string, entry: LogEntry, stat: Stats): FileTail | undefined {
    const link = this.#links.get(inode);
    return link !== undefined && isCurrent(link, entry, stat) ? link.file : undefined;
  }

  /** Forgets those that are neither there nor open. @param there inodes that a name leads to. */
  keepOnly(there: ReadonlySet<string>): void {
    for (const [inode, { file }] of this.#links) {
      if (!there.has(inode) && !isOpenForm(file, inode)) this.#links.delete(inode);
    }
  }
}

export function inodeKey({ dev, ino }: Pick<Stats, 'dev' | 'ino'>): string {
  return `${dev}:${ino}`;
}

/** Whether the form of the log that is open is this one. */
export function isOpenForm(file: FileTail, inode: string): boolean {
  return file.isOpen && inodeKey(file.stat) === inode;
}

/**
 * Whether the inode still holds the log it was seen with, and there is no reason to open it. While a descriptor
 * is open its inode cannot be used again; else birth time and size must fit, and anything new is opened.
 */
function isCurrent({ file, birthtimeMs }: Link, entry: LogEntry, stat: Stats): boolean {
  if (isOpenForm(file, inodeKey(stat))) return true;
  if (birthtimeMs !== stat.birthtimeMs) return false;
  if (file.finished) return entry.compressed || stat.size === file.position;
  return !file.lost && !file.deleted;
}
