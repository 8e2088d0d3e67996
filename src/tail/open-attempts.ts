import { closeSync, type Stats } from 'node:fs';
import { inodeKey } from './known-inodes.ts';
import type { LogEntry, Refusal } from './list-logs.ts';
import { openLog, RefusedError } from './open-log.ts';
import { Refusals, type RefusalsOptions } from './refusals.ts';

export interface OpenAttemptsOptions extends RefusalsOptions {
  /** Real paths that a log file may lie under. */
  readonly allowedRoots: () => readonly string[];
  /** Whether there is a descriptor to spend on one more file, which may hold nothing yet; always, unless told otherwise. */
  readonly mayOpen?: (empty: boolean) => boolean;
}

/** Opens the log files of one container that a listing names, and knows which of them could not be opened, and why. */
export class OpenAttempts {
  readonly #options: OpenAttemptsOptions;
  readonly #refusals: Refusals;
  /** What could not be opened so far, by inode. */
  readonly #closed = new Map<string, LogEntry>();
  /** A name led elsewhere than when it was listed. */
  raced = false;
  /** Something could not be opened and is worth another try soon: why. */
  failure: string | undefined;
  /** The oldest that could not be opened: a newer one is not to be read before it. */
  unopened: LogEntry | undefined;

  constructor(options: OpenAttemptsOptions) {
    this.#options = options;
    this.#refusals = new Refusals(options);
  }

  /** The directory is about to be listed anew. */
  begin(): void {
    this.raced = false;
    this.failure = undefined;
    this.unopened = undefined;
  }

  /** It was listed, with these that are not to be followed. */
  listed(refusals: readonly Refusal[]): void {
    this.#refusals.begin();
    for (const { path, reason, target } of refusals) this.#refusals.tell(path, reason, { target });
  }

  /** Whether nothing that the last listing named was left closed. */
  get complete(): boolean {
    return this.failure === undefined && !this.#refusals.stand;
  }

  mayOpenEmpty(): boolean {
    return this.#options.mayOpen?.(true) ?? true;
  }

  /** @param inode that the name led to when it was listed. */
  open(entry: LogEntry, inode: string): { fd: number; stat: Stats } | undefined {
    const { allowedRoots, log, mayOpen } = this.#options;
    try {
      if (mayOpen?.(false) === false)
        throw new Error('Cannot open one more log file: the descriptors for them are all in use');
      const opened = openLog(entry.path, allowedRoots());
      if (inodeKey(opened.stat) === inode) {
        this.#closed.delete(inode);
        return opened;
      }
      closeSync(opened.fd);
      this.raced = true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') this.raced = true;
      else if (error instanceof RefusedError) this.#refusals.tell(entry.path, 'unsafe', { err: error });
      else if (code === 'EACCES' || code === 'EPERM')
        this.#refusals.tell(entry.path, 'no_permission', { err: error });
      else {
        this.#closed.set(inode, entry);
        this.failed(entry, error as Error);
      }
      log.debug({ err: error, file: entry.path }, 'A log file cannot be opened.');
    }
    return undefined;
  }

  /**
   * After a listing: what went before it could be opened, each told once. A file that was compressed meanwhile is not
   * among them.
   */
  lost(inodes: ReadonlySet<string>, entries: readonly LogEntry[]): LogEntry[] {
    const lost: LogEntry[] = [];
    for (const [inode, closed] of this.#closed) {
      if (inodes.has(inode)) continue;
      this.#closed.delete(inode);
      const { generation, order, live } = closed;
      const isTwin = (entry: LogEntry) => entry.generation === generation && entry.order === order;
      if (live || !entries.some(isTwin)) lost.push(closed);
    }
    return lost;
  }

  failed(entry: LogEntry, { message }: Error): void {
    this.failure = message;
    this.unopened ??= entry;
  }
}
