import { closeSync, fstatSync, lstatSync, type Stats, statSync } from 'node:fs';
import type { ContainerOffsets } from '../offsets/offset-store.ts';
import { compareAge } from './compare-age.ts';
import { DamagedFiles } from './damaged-files.ts';
import { FileTail } from './file-tail.ts';
import { fingerprint } from './file-id.ts';
import type { LineSink } from './line-sink.ts';
import { inodeKey, isOpenForm, KnownInodes } from './known-inodes.ts';
import { type Listing, listLogs, type LogEntry } from './list-logs.ts';
import { type Nascent, NascentFiles } from './nascent-files.ts';
import { openLog, RefusedError } from './open-log.ts';
import { Refusals, type RefusalsOptions } from './refusals.ts';

export interface ContainerFilesOptions extends RefusalsOptions {
  readonly directory: string;
  readonly offsets: ContainerOffsets;
  readonly sink: LineSink;
  readonly maxLineBytes: number;
  /** Real paths that a log file may lie under. */
  readonly allowedRoots: () => readonly string[];
  /** A compressed file whose first line cannot be had is given up after so long, in milliseconds. */
  readonly tornAfter: number;
  readonly onUnreadable: (entry: LogEntry) => void;
  /** A file has turned out to be another than it was taken for. */
  readonly onReplaced: () => void;
  /** Whether there is a descriptor to spend on one more file, which may hold nothing yet; always, unless told otherwise. */
  readonly mayOpen?: (empty: boolean) => boolean;
}

/**
 * The files of one container, in the order in which they were written. Every file that holds something unread
 * is open, so that it stays readable when its name goes.
 */
export class ContainerFiles {
  readonly #options: ContainerFilesOptions;
  readonly #byId = new Map<string, FileTail>();
  readonly #inodes = new KnownInodes();
  readonly #nascent = new NascentFiles();
  readonly #refusals: Refusals;
  readonly #damaged: DamagedFiles;
  #ordered: FileTail[] = [];
  /** Listings so far. */
  #scan = 0;
  /** Directories of symlinks' targets at the last listing. */
  #targets: readonly string[] = [];
  /** Files of the last listing that hold nothing and for which there was no descriptor. */
  #empty: (LogEntry & { readonly inode: string })[] = [];
  /** A name led elsewhere than when it was listed. */
  #raced = false;
  /** The directory did not exist at the last listing. */
  directoryGone = false;
  /** Something could not be opened and is worth another try soon: why. */
  openFailure: string | undefined;
  /** The oldest that could not be opened: a newer one is not to be read before it. */
  unopened: LogEntry | undefined;

  constructor(options: ContainerFilesOptions) {
    this.#options = options;
    this.#damaged = new DamagedFiles(options.tornAfter);
    this.#refusals = new Refusals(options);
  }

  /** Oldest first. */
  get ordered(): readonly FileTail[] {
    return this.#ordered;
  }

  has(fileId: string): boolean {
    return this.#byId.has(fileId);
  }

  /** Files that wait for their first line. */
  get nascent(): number {
    return this.#nascent.size;
  }

  /** Files that are open. */
  get open(): number {
    let open = this.#nascent.size;
    for (const file of this.#ordered) if (file.isOpen) open++;
    return open;
  }

  /** Whether a file of this run of the container waits for its first line. */
  isNascent(generation: number): boolean {
    return this.#nascent.hasOf(generation) || this.#empty.some((entry) => entry.generation === generation);
  }

  /** Whether a file that was left closed because it held nothing may hold something by now. */
  get emptyHasGrown(): boolean {
    return (
      this.#empty.length > 0 &&
      this.#empty.some(({ path, inode }) => {
        const stat = lstatSync(path, { throwIfNoEntry: false });
        return stat === undefined || stat.size > 0 || inodeKey(stat) !== inode;
      })
    );
  }

  /** Closes what holds nothing yet, for the sake of others. Returns how many. */
  closeEmpty(): number {
    const empty = this.#nascent.list().filter(([, { fd }]) => fstatSync(fd).size === 0);
    for (const [inode, { fd, entry }] of empty) {
      closeSync(fd);
      this.#nascent.take(inode);
      this.#empty.push({ ...entry, inode });
    }
    return empty.length;
  }

  /** Whether all files that were there at the last listing are known, and read. */
  get complete(): boolean {
    return this.openFailure === undefined && !this.#refusals.stand && !this.emptyHasGrown;
  }

  /** When names last changed in the directory and where symlinks lead to, in milliseconds since 1970. */
  changeTimes(): number[] {
    const times = [changeTime(this.#options.directory)];
    for (const target of this.#targets) times.push(changeTime(target));
    return times;
  }

  /**
   * Lists the directory and brings the files in line with it. Anew, and at once, when names changed meanwhile:
   * a file must not be read while an older one is not known yet.
   */
  rescan(): void {
    for (let attempt = 0; attempt < 5; attempt++) {
      this.#raced = false;
      this.#rescanOnce();
      if (!this.#raced) return;
    }
  }

  #rescanOnce(): void {
    this.openFailure = undefined;
    this.unopened = undefined;
    this.#empty = [];
    const listing = this.#list();
    if (listing === undefined) return;
    this.#scan++;
    this.#targets = listing.targets;
    this.#refusals.begin();
    for (const { path, reason, target } of listing.refusals) this.#refusals.tell(path, reason, { target });
    for (const file of this.#byId.values()) {
      file.look();
      // Before names are seen: else a copy of what is next would be read before the rest of this one's own.
      if (file.isReplaced()) this.lose(file);
    }
    const seen = new Set<FileTail>();
    const inodes = new Set<string>();
    for (const entry of listing.entries) {
      const inode = this.#see(entry, seen);
      if (inode !== undefined) inodes.add(inode);
    }
    for (const file of this.#byId.values()) {
      if (seen.has(file)) file.goneIn = Infinity;
      else this.#unseen(file);
    }
    this.#inodes.keepOnly(inodes);
    this.#damaged.keepOnly(inodes);
    for (const [inode, nascent] of this.#nascent.list()) {
      if (!inodes.has(inode)) this.#nascentGone(inode, nascent);
    }
    this.#order();
  }

  /** Takes files whose first line has come. True if there were any. */
  lookAtNascent(): boolean {
    for (const [inode, { fd, entry }] of this.#nascent.list()) {
      const stat = fstatSync(fd);
      if (stat.size > 0) this.#identify(fd, entry, stat, inode, stat.nlink === 0);
    }
    this.#order();
    return this.#ordered.length > 0;
  }

  /** No more comes: a file that never got a complete first line is taken as it is, an empty one let go. */
  endNascent(): void {
    for (const [inode, nascent] of this.#nascent.list()) this.#nascentGone(inode, nascent);
    this.#order();
  }

  /** The open form of this file will not do: looks for another at the next rescan, else it is gone. */
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
    this.#order();
  }

  close(): void {
    for (const file of this.#byId.values()) file.close();
    this.#nascent.close();
  }

  /** Undefined when the directory cannot be listed just now: what is open is read on meanwhile. */
  #list(): Listing | undefined {
    try {
      const listing = listLogs(this.#options.directory, this.#options.allowedRoots());
      this.directoryGone = false;
      return listing;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
        this.directoryGone = true;
        return { entries: [], refusals: [], targets: [] };
      }
      this.openFailure = (error as Error).message;
      return undefined;
    }
  }

  /** Notes a name that is there; returns its inode's key. */
  #see(entry: LogEntry, seen: Set<FileTail>): string | undefined {
    const stat = statSync(entry.path, { throwIfNoEntry: false });
    if (stat === undefined) {
      this.#raced = true;
      return undefined;
    }
    const inode = inodeKey(stat);
    if (this.#nascent.seenAs(entry, inode)) return inode;
    if (stat.size === 0 && this.#options.mayOpen?.(true) === false) {
      this.#empty.push({ ...entry, inode });
      return inode;
    }
    const file = this.#current(entry, stat, inode) ?? this.#open(entry, inode);
    if (file !== undefined) {
      seen.add(file);
      if (file.finished || isOpenForm(file, inode)) file.entry = entry;
      this.#options.offsets.seen(file.fileId, file.entry.name, entry.compressed ? file.position : stat.size);
    }
    return inode;
  }

  /** The log that the inode is known to hold. One that is parked, and holds more by now, is opened again. */
  #current(entry: LogEntry, stat: Stats, inode: string): FileTail | undefined {
    const file = this.#inodes.current(inode, entry, stat);
    if (file?.parked !== true || inodeKey(file.stat) !== inode) return file;
    file.entry = entry;
    return file.look() ? (this.#open(entry, inode) ?? file) : file;
  }

  #open(entry: LogEntry, inode: string): FileTail | undefined {
    const { allowedRoots, log, mayOpen } = this.#options;
    try {
      if (mayOpen?.(false) === false)
        throw new Error('Cannot open one more log file: the descriptors for them are all in use');
      const { fd, stat } = openLog(entry.path, allowedRoots());
      if (inodeKey(stat) !== inode) {
        closeSync(fd);
        this.#raced = true;
        return undefined;
      }
      return this.#identify(fd, entry, stat, inode, false);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') this.#raced = true;
      else if (error instanceof RefusedError) this.#refusals.tell(entry.path, 'unsafe', { err: error });
      else if (code === 'EACCES' || code === 'EPERM')
        this.#refusals.tell(entry.path, 'no_permission', { err: error });
      else this.#failedToOpen(entry, error as Error);
      log.debug({ err: error, file: entry.path }, 'A log file cannot be opened.');
      return undefined;
    }
  }

  /** Finds out which log an open file is; without a complete first line it waits among the nascent. */
  #identify(fd: number, entry: LogEntry, stat: Stats, inode: string, whole: boolean): FileTail | undefined {
    const { offsets, sink, maxLineBytes } = this.#options;
    const scope = `${offsets.key}/${entry.generation}`;
    this.#nascent.take(inode);
    let print: ReturnType<typeof fingerprint>;
    try {
      print = fingerprint(fd, entry.compressed, scope, whole);
    } catch (error) {
      closeSync(fd);
      this.#unreadable(entry, inode, error as Error);
      return undefined;
    }
    if (print === undefined) {
      if (whole) closeSync(fd);
      else this.#nascent.add(inode, fd, entry);
      return undefined;
    }
    const known = this.#byId.get(print.fileId);
    if (known !== undefined) return this.#otherForm(known, fd, entry, stat, inode);

    const window = offsets.window(print.fileId);
    const options = { fingerprint: print, scope, window, sink, maxLineBytes };
    const file = new FileTail(options, fd, entry, stat);
    file.foundIn = this.#scan;
    this.#byId.set(print.fileId, file);
    this.#inodes.link(inode, file, stat);
    // Saved as done: nothing is left in it, unless a plain file has grown since.
    if (offsets.saved(print.fileId)?.done === true && (entry.compressed || stat.size <= file.position)) {
      file.finished = true;
      file.close();
    }
    return file;
  }

  /**
   * A name leads to a log that is known: its compressed twin, a copy, or a finished one that has grown since.
   * This form is read where the first is lost, or is deleted and only pins disk space; else the first stays.
   */
  #otherForm(known: FileTail, fd: number, entry: LogEntry, stat: Stats, inode: string): FileTail {
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

  #unreadable(entry: LogEntry, inode: string, error: Error): void {
    const verdict = this.#damaged.met(inode, entry.compressed);
    if (verdict === 'over') this.#options.onUnreadable(entry);
    else if (verdict === 'wait') this.#failedToOpen(entry, error);
  }

  #failedToOpen(entry: LogEntry, { message }: Error): void {
    this.openFailure = message;
    this.unopened ??= entry;
  }

  /** No name leads to a log any more. */
  #unseen(file: FileTail): void {
    file.goneIn = Math.min(file.goneIn, this.#scan);
    // One that was missed once may be about to get its new name.
    if (file.finished && (file.goneIn < this.#scan || (file.isOpen && file.deleted))) this.forget(file);
    else if (file.parked && file.goneIn < this.#scan) this.lose(file);
    else file.look();
  }

  #nascentGone(inode: string, { fd, entry }: Nascent): void {
    const stat = fstatSync(fd);
    if (stat.size > 0) {
      this.#identify(fd, entry, stat, inode, true);
    } else {
      closeSync(fd);
      this.#nascent.take(inode);
    }
  }

  #order(): void {
    this.#ordered = [...this.#byId.values()].sort(compareAge);
  }
}

function changeTime(directory: string): number {
  return statSync(directory, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
