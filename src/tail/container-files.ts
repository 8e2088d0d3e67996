import { closeSync, fstatSync, type Stats, statSync } from 'node:fs';
import { DamagedFiles } from './damaged-files.ts';
import { EmptyFiles } from './empty-files.ts';
import type { FileTail } from './file-tail.ts';
import { fingerprint } from './file-id.ts';
import { inodeKey, isOpenForm } from './known-inodes.ts';
import { KnownLogs, type KnownLogsOptions } from './known-logs.ts';
import type { Listing, LogEntry } from './list-logs.ts';
import { LogDirectory } from './log-directory.ts';
import type { LogName } from './log-names.ts';
import { type Nascent, NascentFiles } from './nascent-files.ts';
import { OpenAttempts, type OpenAttemptsOptions } from './open-attempts.ts';

export interface ContainerFilesOptions extends OpenAttemptsOptions, KnownLogsOptions {
  readonly directory: string;
  /** A compressed file whose first line cannot be had is given up after so long, in milliseconds. */
  readonly tornAfter: number;
  readonly onUnreadable: (entry: LogEntry) => void;
  /** A file went before there was a descriptor for it. */
  readonly onNeverOpened: (entry: LogEntry) => void;
}

/**
 * The files of one container, in the order in which they were written. Every file that holds something unread
 * is open, so that it stays readable when its name goes.
 */
export class ContainerFiles {
  readonly #options: ContainerFilesOptions;
  readonly #directory: LogDirectory;
  readonly #logs: KnownLogs;
  readonly #nascent = new NascentFiles();
  readonly #attempts: OpenAttempts;
  readonly #damaged: DamagedFiles;
  readonly #empty = new EmptyFiles();
  /** Listings so far. */
  #scan = 0;

  constructor(options: ContainerFilesOptions) {
    this.#options = options;
    this.#directory = new LogDirectory(options.directory, options.allowedRoots);
    this.#logs = new KnownLogs(options);
    this.#damaged = new DamagedFiles(options.tornAfter);
    this.#attempts = new OpenAttempts(options);
  }

  /** Oldest first. */
  get ordered(): readonly FileTail[] {
    return this.#logs.ordered;
  }

  has(fileId: string): boolean {
    return this.#logs.has(fileId);
  }

  /** Something could not be opened and is worth another try soon: why. */
  get openFailure(): string | undefined {
    return this.#attempts.failure;
  }

  /** The oldest that could not be opened: a newer one is not to be read before it. */
  get unopened(): LogEntry | undefined {
    return this.#attempts.unopened;
  }

  /** Whether what could not be opened, or not be listed, may be a form of this log under a later name. */
  mayBeUnopened({ generation, order }: LogName): boolean {
    const { unopened, openFailure } = this;
    if (unopened === undefined) return openFailure !== undefined;
    return unopened.generation === generation ? unopened.order <= order : unopened.generation < generation;
  }

  /** The directory did not exist at the last listing. */
  get directoryGone(): boolean {
    return this.#directory.gone;
  }

  /** Files that wait for their first line. */
  get nascent(): number {
    return this.#nascent.size;
  }

  /** Files that are open. */
  get open(): number {
    let open = this.#nascent.size;
    for (const file of this.ordered) if (file.isOpen) open++;
    return open;
  }

  /** Whether a file of this run of the container waits for its first line. */
  isNascent(generation: number): boolean {
    return this.#nascent.hasOf(generation) || this.#empty.hasOf(generation);
  }

  /** Whether a file that was left closed because it held nothing may hold something by now. */
  get emptyHasGrown(): boolean {
    return this.#empty.hasGrown;
  }

  /** Closes what holds nothing yet, for the sake of others. Returns how many. */
  closeEmpty(): number {
    const empty = this.#nascent.list().filter(([, { fd }]) => fstatSync(fd).size === 0);
    for (const [inode, { fd, entry }] of empty) {
      closeSync(fd);
      this.#nascent.take(inode);
      this.#empty.add(entry, inode);
    }
    return empty.length;
  }

  /** Whether all files that were there at the last listing are known, and read. */
  get complete(): boolean {
    return this.#attempts.complete && !this.emptyHasGrown;
  }

  /** When names last changed in the directory and where symlinks lead to, in milliseconds since 1970. */
  changeTimes(): number[] {
    return this.#directory.changeTimes();
  }

  /**
   * Lists the directory and brings the files in line with it. Anew, and at once, when names changed meanwhile:
   * a file must not be read while an older one is not known yet.
   */
  rescan(): void {
    for (let attempt = 0; attempt < 5; attempt++) {
      this.#rescanOnce();
      if (!this.#attempts.raced) return;
    }
  }

  #rescanOnce(): void {
    this.#attempts.begin();
    this.#empty.clear();
    for (const file of this.#logs.all()) {
      file.look();
      // Before names are seen: else a copy of what is next would be read before the rest of this one's own. And before
      // they are listed: the copy is there before its source is emptied, so that the listing has it.
      if (file.isReplaced()) this.lose(file);
    }
    const listing = this.#list();
    if (listing === undefined) return;
    this.#scan++;
    this.#attempts.listed(listing.refusals);
    const seen = new Set<FileTail>();
    const inodes = new Set<string>();
    for (const entry of listing.entries) {
      const inode = this.#see(entry, seen);
      if (inode !== undefined) inodes.add(inode);
    }
    for (const file of this.#logs.all()) {
      if (seen.has(file)) file.goneIn = Infinity;
      else this.#unseen(file);
    }
    this.#logs.keepOnly(inodes);
    this.#damaged.keepOnly(inodes);
    for (const entry of this.#attempts.lost(inodes, listing.entries)) this.#options.onNeverOpened(entry);
    for (const [inode, nascent] of this.#nascent.list()) {
      if (!inodes.has(inode)) this.#nascentGone(inode, nascent);
    }
    this.#logs.order();
  }

  /** Takes files whose first line has come. */
  lookAtNascent(): void {
    if (this.#nascent.size === 0) return;
    for (const [inode, { fd, entry }] of this.#nascent.list()) {
      const stat = fstatSync(fd);
      if (stat.size > 0) this.#identify(fd, entry, stat, inode, stat.nlink === 0);
    }
    this.#logs.order();
  }

  /** No more comes: a file that never got a complete first line is taken as it is, an empty one let go. */
  endNascent(): void {
    for (const [inode, nascent] of this.#nascent.list()) this.#nascentGone(inode, nascent);
    this.#logs.order();
  }

  /** The open form of this file will not do: looks for another at the next rescan, else it is gone. */
  lose(file: FileTail): void {
    this.#logs.lose(file);
  }

  /** Forgets a file: nothing more is to be had of it. */
  forget(file: FileTail): void {
    this.#logs.forget(file);
  }

  close(): void {
    this.#logs.close();
    this.#nascent.close();
  }

  /** Undefined when the directory cannot be listed just now: what is open is read on meanwhile. */
  #list(): Listing | undefined {
    try {
      return this.#directory.list();
    } catch (error) {
      this.#attempts.failure = (error as Error).message;
      return undefined;
    }
  }

  /** Notes a name that is there; returns its inode's key. */
  #see(entry: LogEntry, seen: Set<FileTail>): string | undefined {
    const stat = statSync(entry.path, { throwIfNoEntry: false });
    if (stat === undefined) {
      this.#attempts.raced = true;
      return undefined;
    }
    const inode = inodeKey(stat);
    if (this.#nascent.seenAs(entry, inode)) return inode;
    if (stat.size === 0 && !this.#attempts.mayOpenEmpty()) {
      this.#empty.add(entry, inode);
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
    const file = this.#logs.of(inode, entry, stat);
    if (file?.parked !== true || inodeKey(file.stat) !== inode) return file;
    file.entry = entry;
    return file.look() ? this.#reopen(file, entry, inode) : file;
  }

  #reopen(file: FileTail, entry: LogEntry, inode: string): FileTail | undefined {
    const opened = this.#attempts.open(entry, inode);
    if (opened === undefined) return file;
    const found = this.#identify(opened.fd, entry, opened.stat, inode, false);
    if (found === file) return file;
    // It was emptied, and holds another log by now: the copy of this one was taken for its twin, and not opened.
    this.lose(file);
    this.#attempts.raced = true;
    return found;
  }

  #open(entry: LogEntry, inode: string): FileTail | undefined {
    const opened = this.#attempts.open(entry, inode);
    return opened && this.#identify(opened.fd, entry, opened.stat, inode, false);
  }

  /** Finds out which log an open file is; without a complete first line it waits among the nascent. */
  #identify(fd: number, entry: LogEntry, stat: Stats, inode: string, whole: boolean): FileTail | undefined {
    const scope = `${this.#options.offsets.key}/${entry.generation}`;
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
    return this.#logs.take({ fd, entry, stat, inode, fingerprint: print, scope }, this.#scan);
  }

  #unreadable(entry: LogEntry, inode: string, error: Error): void {
    const verdict = this.#damaged.met(inode, entry.compressed);
    if (verdict === 'over') this.#options.onUnreadable(entry);
    else if (verdict === 'wait') this.#attempts.failed(entry, error);
  }

  /** No name leads to a log any more. */
  #unseen(file: FileTail): void {
    file.goneIn = Math.min(file.goneIn, this.#scan);
    // One that was missed once may be about to get its new name.
    const over = file.finished && (file.goneIn < this.#scan || (file.isOpen && file.deleted));
    // Its compressed twin may be what cannot be opened: unknown, that would be read from its begin.
    if (over && !this.mayBeUnopened(file.entry)) this.forget(file);
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
}
