import type { Stats } from 'node:fs';

/** What tells one file, and one state of it, from another. */
export type FileStat = Pick<Stats, 'dev' | 'ino' | 'size' | 'nlink' | 'mtimeMs' | 'ctimeMs' | 'birthtimeMs'>;

/**
 * An open file as it was seen last. It is the same object for good: one that comes anew with each look lives just
 * long enough to be taken for old by V8's collector, and hundreds of files make it collect those again and again.
 */
export class SeenStat implements FileStat {
  dev = 0;
  ino = 0;
  size = 0;
  nlink = 0;
  mtimeMs = 0;
  ctimeMs = 0;
  birthtimeMs = 0;

  constructor(stat: FileStat) {
    this.set(stat);
  }

  set({ dev, ino, size, nlink, mtimeMs, ctimeMs, birthtimeMs }: FileStat): void {
    this.dev = dev;
    this.ino = ino;
    this.size = size;
    this.nlink = nlink;
    this.mtimeMs = mtimeMs;
    this.ctimeMs = ctimeMs;
    this.birthtimeMs = birthtimeMs;
  }
}
