import { closeSync, fstatSync, type Stats } from 'node:fs';
import type { InFlight } from '../offsets/in-flight.ts';
import { type ByteSource, CHUNK_BYTES, GzipSource, PlainSource } from './byte-source.ts';
import { type Fingerprint, stillBegins } from './file-id.ts';
import type { LineSink } from './line-sink.ts';
import { LineSplitter } from './line-splitter.ts';
import type { LogEntry } from './list-logs.ts';

export interface FileTailOptions {
  readonly fingerprint: Fingerprint;
  /** The container's key, part of the fingerprint. */
  readonly scope: string;
  readonly window: InFlight;
  readonly sink: LineSink;
  /** What plain files are read into, of CHUNK_BYTES; shared by all that the same loop reads. */
  readonly buffer: Buffer;
  /** Longest physical line that is kept, in bytes. */
  readonly maxLineBytes: number;
}

/** What a look for the next piece found. */
export type Piece =
  | 'data'
  /** Nothing more is there now. */
  | 'end'
  /** The file was truncated or replaced in place: what it holds now is another log. */
  | 'replaced'
  /** A compressed file ends too early: it is still being written, or damaged. */
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
  readonly #splitter: LineSplitter;
  entry: LogEntry;
  /** Undefined while no descriptor is open. */
  #fd: number | undefined;
  #source: ByteSource | undefined;
  /** As seen last; `size` is of the form that is open. */
  stat: Stats;
  /** Since when no name leads to it, in milliseconds since 1970. */
  deletedSince: number | undefined;
  /** What is known to have been in a form that is lost: the offset behind its last byte. */
  lostEnd = 0;
  #sizeSeen = 0;
  #sizeVerified = 0;
  /** Nothing beyond this offset is read (a container that is let go while it still writes). */
  limit = Infinity;
  /** All is read, and it seems that no more comes. */
  finished = false;
  /** The form that is open will not do any more; another one is looked for. */
  lost = false;
  /** Since when nothing was left to read, in milliseconds of the caller's clock. */
  endSince: number | undefined;

  constructor(options: FileTailOptions, fd: number, entry: LogEntry, stat: Stats) {
    this.#options = options;
    this.window = options.window;
    this.fingerprint = options.fingerprint;
    this.entry = entry;
    this.stat = stat;
    const { window, sink, maxLineBytes } = options;
    this.#splitter = new LineSplitter(window.readTo, maxLineBytes, (line, start, end, tooLong) => {
      if (tooLong) sink.tooLong(window, start, end);
      else sink.line(line, window, start, end);
    });
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
    this.stat = stat;
    this.#sizeSeen = 0;
    this.#sizeVerified = 0;
    this.deletedSince = undefined;
    this.lost = false;
    this.finished = false;
    this.endSince = undefined;
  }

  /** Looks at size and links; true if there may be something to read. */
  look(): boolean {
    if (this.#fd === undefined) return false;
    this.stat = fstatSync(this.#fd);
    this.#sizeSeen = Math.max(this.#sizeSeen, this.stat.size);
    if (this.deleted) this.deletedSince ??= Date.now();
    if (this.entry.compressed) return !this.finished;
    return this.stat.size !== this.position && this.position < this.limit;
  }

  /** Reads one piece and hands its lines over. */
  async readPiece(): Promise<Piece> {
    if (this.#fd === undefined) return 'end';
    try {
      return await this.#readPiece(this.#fd);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'Z_BUF_ERROR') throw error;
      this.#closeSource();
      return 'torn';
    }
  }

  async #readPiece(fd: number): Promise<Piece> {
    const { compressed } = this.entry;
    if (!compressed) {
      if (this.stat.size <= this.position) this.look();
      if (this.stat.size < this.position) return this.#replaced(this.#sizeSeen);
    }
    const most = compressed ? CHUNK_BYTES : Math.min(this.stat.size, this.limit) - this.position;
    if (most <= 0) return 'end';
    this.#source ??= compressed
      ? new GzipSource(fd, this.position)
      : new PlainSource(fd, this.position, this.#options.buffer);
    const text = await this.#source.read(most);
    // Asked after the read: had the file been truncated before it, its first line would be another by now.
    if (!compressed) {
      if (!stillBegins(fd, this.fingerprint, this.#options.scope)) return this.#replaced(this.#sizeVerified);
      this.#sizeVerified = this.stat.size;
    }
    if (text === undefined) return 'end';
    if (text !== '') this.#splitter.write(text);
    return 'data';
  }

  #replaced(knownEnd: number): 'replaced' {
    this.lostEnd = Math.max(knownEnd, this.position);
    return 'replaced';
  }

  /** No more comes: what is left without a final LF is a line too. */
  finish(): void {
    this.#splitter.end();
    this.finished = true;
  }

  close(): void {
    this.#closeSource();
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #closeSource(): void {
    this.#source?.close();
    this.#source = undefined;
  }
}
