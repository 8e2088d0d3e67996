import { closeSync, fstatSync, lstatSync, readSync, type Stats } from 'node:fs';
import { steadyNow } from '../util/steady-now.ts';
import type { InFlight } from '../offsets/in-flight.ts';
import { GzipSource } from './gzip-source.ts';
import { readPiece } from './read-piece.ts';
import { type Fingerprint, stillBegins } from './file-id.ts';
import type { LineSink } from './line-sink.ts';
import { LineSplitter } from './line-splitter.ts';
import type { LogEntry } from './list-logs.ts';
import { SeenStat } from './seen-stat.ts';

export interface FileTailOptions {
  readonly fingerprint: Fingerprint;
  /** The container's key, part of the fingerprint. */
  readonly scope: string;
  readonly window: InFlight;
  readonly sink: LineSink;
  /** Longest physical line that is kept, in bytes. */
  readonly maxLineBytes: number;
}

/** What a look for the next piece found. */
export type Piece =
  | 'data'
  /** No bytes yet, but on the way to some: what was read before is unzipped anew. */
  | 'busy'
  /** Nothing more is there now. */
  | 'end'
  /** The file was truncated or replaced in place: what it holds now is another log. */
  | 'replaced'
  /** The file still begins as it did, but ends before what was read of it: it was truncated to a part. */
  | 'shrunk'
  /** A compressed file ends too early: or is damaged: maybe it is still being written. */
  | 'torn';

/**
 * One log file, known by its fingerprint, read through an open descriptor from its committed offset on. The
 * descriptor may come to lead to another form of the same log (its compressed twin, a copy): reading goes on at
 * the same offset.
 */
export class FileTail {
  readonly window: InFlight;
  readonly fingerprint: Fingerprint;
  readonly #options: FileTailOptions;
  #splitter: LineSplitter;
  entry: LogEntry;
  /** Undefined while no descriptor is open. */
  #fd: number | undefined;
  #unzipping: GzipSource | undefined;
  /** As seen last; `size` is of the form that is open. */
  readonly stat: SeenStat;
  /** Since when no name leads to it, in milliseconds since 1970. */
  deletedSince: number | undefined;
  /** What is known to have been in a form that is lost: the offset behind its last byte. */
  lostEnd = 0;
  #sizeSeen = 0;
  #sizeVerified = 0;
  /** Modification time of the form whose first line was last found to be the right one. */
  #timeVerified = -1;
  /** In which listing of the directory it was found, and since which no name leads to it any more. */
  foundIn = 0;
  goneIn = Infinity;
  /** Nothing beyond this offset is read (a container that is let go while it still writes). */
  limit = Infinity;
  /** All is read, and it seems that no more comes. */
  finished = false;
  /** The form that is open will not do any more; another one is looked for. */
  lost = false;
  /** Nothing more is to be had of it. */
  forgotten = false;
  /** Its descriptor was wanted for another file: reading goes on when it gets one again. */
  parked = false;
  /** Parked, and not to be found where it was: what it holds now is not known. */
  outOfSight = false;
  /** Since when the form that is open is, as `steadyNow`. */
  openSince = 0;
  /** Since when nothing was left to read, in milliseconds of the caller's clock. */
  endSince: number | undefined;

  constructor(options: FileTailOptions, fd: number, entry: LogEntry, stat: Stats) {
    this.#options = options;
    this.window = options.window;
    this.fingerprint = options.fingerprint;
    this.entry = entry;
    this.stat = new SeenStat(stat);
    // Behind what is in flight, should this file have been followed before in this run.
    this.#splitter = this.#splitterAt(this.window.readTo);
    this.open(fd, entry, stat);
  }

  get fileId(): string {
    return this.fingerprint.fileId;
  }

  get isOpen(): boolean {
    return this.#fd !== undefined;
  }

  /** No name leads to the form that is open: only the descriptor keeps its bytes. */
  get deleted(): boolean {
    return this.stat.nlink === 0;
  }

  /** Offset behind the last line that was taken. */
  get taken(): number {
    return this.#splitter.lineStart;
  }

  /** Offset behind the last byte that was read. */
  get position(): number {
    return this.#splitter.position;
  }

  /** Bytes not read yet; of a compressed file 0 when it is finished, else its compressed size at most. */
  get behind(): number {
    if (this.finished) return 0;
    return this.entry.compressed
      ? this.stat.size
      : Math.max(0, Math.min(this.stat.size, this.limit) - this.taken);
  }

  /** Reads on from another descriptor of the same log, which is then the tail's to close. */
  open(fd: number, entry: LogEntry, stat: Stats): void {
    this.close();
    this.#fd = fd;
    this.entry = entry;
    this.stat.set(stat);
    this.#sizeSeen = 0;
    this.#sizeVerified = 0;
    this.#timeVerified = -1;
    this.deletedSince = undefined;
    this.lost = false;
    this.finished = false;
    this.endSince = undefined;
    this.parked = this.outOfSight = false;
    this.openSince = steadyNow();
  }

  /** Closes the file, to open it again when there is something to read and a descriptor to spend. */
  park(): void {
    this.close();
    this.parked = true;
  }

  /** Whether the last look saw more than what is read. */
  get moreSeen(): boolean {
    return this.entry.compressed || this.position < Math.min(this.stat.size, this.limit);
  }

  /** Looks at size and links; true if there may be something to read. */
  look(): boolean {
    const stat = this.#fd === undefined ? this.#statByName() : fstatSync(this.#fd);
    if (stat === undefined) return false;
    this.stat.set(stat);
    this.#sizeSeen = Math.max(this.#sizeSeen, this.stat.size);
    if (this.deleted) this.deletedSince ??= Date.now();
    if (this.entry.compressed) return !this.finished;
    if (this.position >= this.limit) return false;
    return this.stat.size > this.position || this.doubtful;
  }

  /** What a file is now that is parked, where its name still leads to it. */
  #statByName(): Stats | undefined {
    if (!this.parked) return undefined;
    const stat = lstatSync(this.entry.path, { throwIfNoEntry: false });
    const { dev, ino, birthtimeMs } = this.stat;
    this.outOfSight = stat?.ino !== ino || stat.dev !== dev || stat.birthtimeMs !== birthtimeMs;
    return this.outOfSight ? undefined : stat;
  }

  /** A plain file that is no longer than what was read of it, and yet changed since: it may hold another log. */
  get doubtful(): boolean {
    const { size, mtimeMs } = this.stat;
    return size < this.position || (size === this.position && mtimeMs !== this.#timeVerified);
  }

  /**
   * Whether the file was truncated or replaced in place since it was last read: what it holds is another log, which is
   * newer than all that have been copied from it. False where only reading can tell.
   */
  isReplaced(): boolean {
    if (this.#fd === undefined || this.finished || this.entry.compressed) return false;
    const { size, mtimeMs } = this.stat;
    if (mtimeMs === this.#timeVerified || (size > 0 && this.#stillBegins(this.#fd))) return false;
    this.#replaced(size < this.position ? this.#sizeSeen : this.#sizeVerified);
    return true;
  }

  /** Reads one piece and hands its lines over. */
  readPiece(): Piece | Promise<Piece> {
    if (this.#fd === undefined) return 'end';
    return this.entry.compressed ? this.#readZipped(this.#fd) : this.#readPlain(this.#fd);
  }

  async #readZipped(fd: number): Promise<Piece> {
    this.#unzipping ??= new GzipSource(fd, this.position);
    try {
      const piece = await this.#unzipping.read();
      if (piece === undefined) return 'end';
      if (piece.length === 0) return 'busy';
      this.#splitter.write(piece);
      return 'data';
    } catch (error) {
      // What was unzipped is behind us or lost: the next attempt begins anew, at the position.
      this.#endUnzipping();
      if ((error as NodeJS.ErrnoException).code?.startsWith('Z_') !== true) throw error;
      return 'torn';
    }
  }

  /** Synchronously: what was written lately is in the page cache, and the kernel reads ahead of a backlog. */
  #readPlain(fd: number): Piece {
    if (this.stat.size <= this.position) this.look();
    const { size, mtimeMs } = this.stat;
    if (size < this.position) {
      return size > 0 && this.#stillBegins(fd) ? 'shrunk' : this.#replaced(this.#sizeSeen);
    }
    const most = Math.min(size, this.limit) - this.position;
    const piece = most > 0 ? readPiece(fd, this.position, most) : undefined;
    // Asked after the read: had the file been truncated before it, its first line would be another by now.
    if (!this.#stillBegins(fd)) return this.#replaced(this.#sizeVerified);
    this.#sizeVerified = size;
    this.#timeVerified = mtimeMs;
    if (piece === undefined) return 'end';
    this.#splitter.write(piece);
    return 'data';
  }

  /**
   * What comes next in a plain file, without reading on, as much as fits into the buffer, one character a byte;
   * undefined where no descriptor is open or the file is compressed.
   */
  peek(buffer: Buffer): string | undefined {
    if (this.#fd === undefined || this.entry.compressed) return undefined;
    const read = readSync(this.#fd, buffer, 0, buffer.length, this.taken);
    return buffer.toString('latin1', 0, read);
  }

  #stillBegins(fd: number): boolean {
    return stillBegins(fd, this.fingerprint, this.#options.scope);
  }

  #replaced(knownEnd: number): 'replaced' {
    this.lostEnd = Math.max(knownEnd, this.position);
    return 'replaced';
  }

  /**
   * Goes on from the end of a file that has shrunk. What is below was read.
   *
   * @throws while lines are in flight: theirs are offsets beyond that end.
   */
  rewind(): void {
    this.window.rewind(this.stat.size);
    this.#endUnzipping();
    this.#splitter = this.#splitterAt(this.stat.size);
    this.#sizeSeen = this.stat.size;
    if (this.limit !== Infinity) this.limit = Math.min(this.limit, this.stat.size);
  }

  /** Offset behind the last byte that is known to have been in the file. */
  get knownEnd(): number {
    return Math.max(this.lostEnd, this.#sizeSeen);
  }

  /** Whether what was read ends within a line. */
  get endsWithinLine(): boolean {
    return this.position > this.taken;
  }

  /** No more comes: what is left without a final LF is a line too. */
  finish(): void {
    this.#splitter.end();
    this.finished = true;
    this.parked = false;
  }

  close(): void {
    this.#endUnzipping();
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #splitterAt(offset: number): LineSplitter {
    const { window, sink, maxLineBytes } = this.#options;
    return new LineSplitter(offset, maxLineBytes, (line, start, end, tooLong) => {
      if (tooLong) sink.tooLong(line, window, start, end);
      else sink.line(line, window, start, end);
    });
  }

  #endUnzipping(): void {
    this.#unzipping?.close();
    this.#unzipping = undefined;
  }
}
