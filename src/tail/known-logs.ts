import { closeSync, type Stats } from 'node:fs';
import type { ContainerOffsets } from '../offsets/offset-store.ts';
import { compareAge } from './compare-age.ts';
import type { Fingerprint } from './file-id.ts';
import { FileTail } from './file-tail.ts';
import { KnownInodes } from './known-inodes.ts';
import type { LineSink } from './line-sink.ts';
import type { LogEntry } from './list-logs.ts';

export interface KnownLogsOptions {
  readonly offsets: ContainerOffsets;
  readonly sink: LineSink;
  readonly maxLineBytes: number;
  /** A file has turned out to be another than it was taken for. */
  readonly onReplaced: () => void;
}

/** An open file, under a name that led to it, and what it turned out to be. */
export interface OpenForm {
  readonly fd: number;
  readonly entry: LogEntry;
  readonly stat: Stats;
  readonly inode: string;
  readonly fingerprint: Fingerprint;
  /** The container's key and run, part of the fingerprint. */
  readonly scope: string;
}

/** The logs of one container that are known by their first lines, each in whatever form it is there: renamed, compressed, copied. */
export class KnownLogs {
  readonly #options: KnownLogsOptions;
  readonly #byId = new Map<string, FileTail>();
  readonly #inodes = new KnownInodes();
  #ordered: FileTail[] = [];

  constructor(options: KnownLogsOptions) {
    this.#options = options;
  }

  /** Oldest first, as of `order()`. */
  get ordered(): readonly FileTail[] {
    return this.#ordered;
  }

  /** All, also while they come and go. */
  all(): Iterable<FileTail> {
    return this.#byId.values();
  }

  has(fileId: string): boolean {
    return this.#byId.has(fileId);
  }

  /** The log that the inode still holds; undefined where there is reason to open it. */
  of(inode: string, entry: LogEntry, stat: Stats): FileTail | undefined {
    return this.#inodes.current(inode, entry, stat);
  }

  /** Takes an open file, as the log that it is or as another form of it. @param scan number of the listing. */
  take(form: OpenForm, scan: number): FileTail {
    const { offsets, sink, maxLineBytes } = this.#options;
    const { fd, entry, stat, inode, fingerprint, scope } = form;
    const { fileId } = fingerprint;
    const known = this.#byId.get(fileId);
    if (known !== undefined) return this.#otherForm(known, form);

    const window = offsets.window(fileId);
    const file = new FileTail({ fingerprint, scope, window, sink, maxLineBytes }, fd, entry, stat);
    file.foundIn = scan;
    this.#byId.set(fileId, file);
    this.#inodes.link(inode, file, stat);
    // Saved as done: nothing is left in it, unless a plain file has grown since.
    if (offsets.saved(fileId)?.done === true && (entry.compressed || stat.size <= file.position)) {
      file.finished = true;
      file.close();
    }
    return file;
  }

  /** The open form of this file will not do: another is looked for at the next listing, else it is gone. */
  lose(file: FileTail): void {
    this.#options.onReplaced();
    file.lost = true;
    file.close();
    this.#inodes.unlink(file);
  }

  /** Forgets a file: nothing more is to be had of it. */
  forget(file: FileTail): void {
    file.close();
    file.forgotten = true;
    this.#byId.delete(file.fileId);
    this.#inodes.unlink(file);
    this.#options.offsets.gone(file.fileId);
    this.order();
  }

  /** Forgets inodes that are neither there nor open. @param there inodes that a name leads to. */
  keepOnly(there: ReadonlySet<string>): void {
    this.#inodes.keepOnly(there);
  }

  /** To be called when files or their names have changed. */
  order(): void {
    this.#ordered = [...this.#byId.values()].sort(compareAge);
  }

  close(): void {
    for (const file of this.#byId.values()) file.close();
  }

  /**
   * A name leads to a log that is known: its compressed twin, a copy, or a finished one that has grown since.
   * This form is read where the first is lost or parked, or is deleted and only pins disk space; else the first stays.
   */
  #otherForm(known: FileTail, { fd, entry, stat, inode }: OpenForm): FileTail {
    const grown = known.finished && !entry.compressed && stat.size > known.position;
    // What the other form holds by now nobody has seen.
    if (known.parked) this.#inodes.unlink(known);
    const better = !known.finished && (known.lost || known.deleted || known.parked);
    if (grown || better) known.open(fd, entry, stat);
    else closeSync(fd);
    if (grown) this.#options.offsets.finished(known.fileId, false);
    this.#inodes.link(inode, known, stat);
    return known;
  }
}
