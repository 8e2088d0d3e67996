import { isOlder } from './resource-version.ts';

/**
 * Where a list and the watches after it go on: from which version the next one begins, and what has been told by then.
 * What was deleted before a list no list tells; a watch that is resumed from before it does, as far as the server's
 * history goes.
 */
export class WatchPosition {
  /** Where the next watch goes on; undefined asks for a list. */
  version: string | undefined;
  /** The version a list must not be older than: the server's cache at first, the newest where that expired. */
  listVersion: string | undefined = '0';
  /** Of the last list. */
  #listed = '';
  /** Where the watch after the next list goes on. */
  #resume: string | undefined;
  /** The watch begins before the list, and has not yet been heard to have caught up with it. */
  #resumed = false;
  /** No hole is between what was told before the last list and after it. */
  gapless = false;
  readonly #heard: (version: string) => void;

  /**
   * @param resume how far an earlier run had heard.
   * @param heard all is told that happened up to this version.
   */
  constructor(resume: string | undefined, heard: (version: string) => void) {
    this.#resume = resume;
    this.#heard = heard;
  }

  /** A list of this version has been told. */
  listed(version: string): void {
    const from = this.#resume ?? version;
    this.#resume = undefined;
    this.#resumed = isOlder(from, version);
    this.version = this.#resumed ? from : version;
    this.#listed = this.listVersion = version;
    this.gapless = false;
    if (!this.#resumed) this.#heard(version);
  }

  /** Whether what has this version happened after the last list. */
  isNews(version: string | undefined): boolean {
    return version === undefined || !isOlder(version, this.#listed);
  }

  /** A watch has told what has this version. */
  told(version: string): void {
    this.version = version;
    if (this.isNews(version)) this.#caughtUp(version);
  }

  /** A watch is open for so long that it has told what there was to tell. */
  settled(): void {
    if (this.#resumed) this.gapless = true;
    else if (this.version !== undefined) this.#caughtUp(this.version);
  }

  /** The next request is a list; the watch after it goes on here. */
  relist(): void {
    this.#resume = this.version ?? this.#resume;
    this.version = undefined;
  }

  /** The same, and not from the server's cache. */
  relistNewest(): void {
    this.listVersion = undefined;
    this.relist();
  }

  /** The server has forgotten the version that this request asked for. */
  expired(verb: 'list' | 'watch'): void {
    if (verb === 'watch') this.#resume = undefined;
    if (this.#resumed) {
      // What was deleted before the list will not be told any more; the list itself is as good as ever.
      this.#resumed = false;
      this.version = this.#listed;
    } else {
      this.version = undefined;
      this.listVersion = undefined;
    }
  }

  #caughtUp(version: string): void {
    if (this.#resumed) this.gapless = true;
    this.#resumed = false;
    this.listVersion = version;
    this.#heard(version);
  }
}
