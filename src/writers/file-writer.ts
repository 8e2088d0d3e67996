import { rename } from 'node:fs/promises';
import type { Log } from '../ops/log.ts';
import type { LogRecord } from '../record/log-record.ts';
import { ConfigError } from '../util/config-error.ts';
import { AppendFile, type OpenFile } from '../util/append-file.ts';
import { ByteBuffer } from './byte-buffer.ts';
import { FileNames } from './file-names.ts';
import { FileUpkeep } from './file-upkeep.ts';
import { WrittenRecords } from './file-written.ts';
import type { LogWriter } from './log-writer.ts';
import { addNdjsonLine } from './ndjson.ts';

export interface FileWriterOptions {
  /**
   * The NDJSON file; it and its directories are made where they are missing. Its name and those of the directories
   * may hold `{node}` and `{date}`.
   */
  readonly path: string;
  /** This node's name, for `{node}`. */
  readonly node?: string;
  /** A file of so many bytes is rotated; 0 never. Default 0. */
  readonly maxBytes?: number;
  /** A file that was begun so long ago is rotated when there is more to write, in milliseconds; 0 never. Default 0. */
  readonly maxAgeMs?: number;
  /** See `UpkeepOptions`. Default: nothing is compressed, all is kept. */
  readonly gzip?: boolean;
  readonly keepAgeMs?: number;
  readonly keepBytes?: number;
  readonly log: Log;
  readonly now?: () => Date;
  /** Opens the file; only tests, which make a disk fail, give one. */
  readonly openFile?: OpenFile;
}

/** A batch that waits to be written. */
interface Waiting {
  readonly records: readonly LogRecord[];
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** A write is closed once it holds more. */
const groupBytes = 2 ** 20;

/** Faults that no waiting mends: somebody has to change FILE_PATH or the rights. */
const hopeless = new Set([
  'EACCES',
  'EEXIST',
  'EISDIR',
  'ENOTDIR',
  'EROFS',
  'EPERM',
  'ENAMETOOLONG',
  'ELOOP',
]);

/** How often the files are looked through for what has grown too old, in milliseconds. */
const UPKEEP_MS = 60_000;

/**
 * Appends records to a file as NDJSON. A batch settles when it is on the disk; batches that arrive while another
 * is being synced share the next write and the next sync. A batch that fails leaves nothing behind, and what a
 * process wrote that was killed since is not written again.
 */
export class FileWriter implements LogWriter {
  readonly name = 'file';
  readonly batch = { records: 4_096, bytes: 262_144 };
  readonly #options: FileWriterOptions;
  readonly #lines = new ByteBuffer();
  #file: AppendFile | undefined;
  readonly #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  readonly #names: FileNames;
  readonly #node: string;
  readonly #now: () => Date;
  readonly #upkeep: FileUpkeep;
  #upkeepAt = 0;
  /** What is there from before. */
  #written: WrittenRecords | undefined;
  #knowsWritten = false;

  constructor(options: FileWriterOptions) {
    const { path, node = '', gzip = false, keepAgeMs = 0, keepBytes = 0, log } = options;
    this.#options = options;
    this.#names = new FileNames(path);
    this.#node = node;
    this.#now = options.now ?? (() => new Date());
    const onRepair = (torn: string, bytes: number): void => this.#tellRepair(torn, bytes);
    this.#upkeep = new FileUpkeep({ names: this.#names, node, gzip, keepAgeMs, keepBytes, onRepair, log });
  }

  /** @throws ConfigError where the file can never be written; a full disk, say, is waited for instead. */
  async open(): Promise<void> {
    try {
      this.#file = await this.#openFile();
      this.#lookAfter(this.#file.path);
    } catch (error) {
      const { path, log } = this.#options;
      if (!(error instanceof Error && 'code' in error && hopeless.has(String(error.code)))) {
        log.warn({ err: error, path }, 'Cannot open the file to write to yet');
        return;
      }
      throw new ConfigError(
        [
          `FILE_PATH (--file-path) is "${path}": it must be a file that the agent can write, and ${error.message}`,
        ],
        { cause: error },
      );
    }
  }

  async writeBatch(records: readonly LogRecord[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ records, resolve, reject });
    this.#writing ??= this.#writeAll();
    await promise;
  }

  /** Nothing is asked: a disk fails when it is written to. It is the time to look after old files. */
  async check(): Promise<void> {
    if (this.#file !== undefined && performance.now() - this.#upkeepAt > UPKEEP_MS) {
      this.#lookAfter(this.#file.path);
    }
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#file?.close();
    this.#file = undefined;
    await this.#upkeep.rest();
  }

  /** Writes what waits, group after group, until nothing does. Never rejects. */
  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#nextGroup();
      try {
        await this.#writeGroup(group);
        for (const { resolve } of group) resolve();
      } catch (error) {
        const failure = new Error(`Cannot write to ${this.#options.path}: ${String(error)}`, {
          cause: error,
        });
        for (const { reject } of group) reject(failure);
      }
    }
    this.#writing = undefined;
  }

  /** Batches that share one write: all that wait, up to a bound for the memory that the write takes. */
  #nextGroup(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { records } of this.#waiting) {
      if (count > 0 && bytes > groupBytes) break;
      for (const { byteLength } of records) bytes += byteLength;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #writeGroup(group: readonly Waiting[]): Promise<void> {
    await this.#leaveOld();
    if (this.#file === undefined) {
      this.#file = await this.#openFile();
      this.#lookAfter(this.#file.path);
    }
    this.#lines.clear();
    for (const { records } of group) {
      for (const record of records) {
        if (this.#written === undefined || !this.#written.has(record.id)) addNdjsonLine(this.#lines, record);
      }
    }
    const lines = this.#lines.bytes();
    if (lines.length > 0) await this.#file.append(lines);
  }

  /** Leaves the file where it was deleted, where its day is over, and where it is too large or too old. */
  async #leaveOld(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    const { maxBytes = 0, maxAgeMs = 0, log } = this.#options;
    const now = this.#now();
    if (await file.isDeleted()) {
      log.warn({ path: file.path }, 'The file written to was deleted: making a new one');
    } else {
      const past = file.path !== this.#names.current(this.#node, now);
      const full = maxBytes > 0 && file.size >= maxBytes;
      const old = maxAgeMs > 0 && file.size > 0 && now.getTime() - file.bornAt >= maxAgeMs;
      if (!past && !full && !old) return;
      await rename(file.path, this.#names.rotated(file.path, now)).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        log.warn({ path: file.path }, 'The file written to was moved away: making a new one');
      });
    }
    this.#file = undefined;
    await file.close();
  }

  #lookAfter(current: string): void {
    this.#upkeepAt = performance.now();
    this.#upkeep.look(current);
  }

  /** Without it nothing is lost, and some records may be there twice. */
  async #readWritten(): Promise<void> {
    try {
      this.#written = await WrittenRecords.read(await this.#names.list(this.#node));
    } catch (err) {
      this.#options.log.warn(
        { err, path: this.#options.path },
        'Cannot read what was written before: after a crash the last records may be there twice',
      );
    }
    this.#knowsWritten = true;
  }

  async #openFile(): Promise<AppendFile> {
    const { openFile } = this.#options;
    // Before any file is compressed or removed.
    if (!this.#knowsWritten) await this.#readWritten();
    const path = this.#names.current(this.#node, this.#now());
    // Of a day that begins again, since the clock was set back, the file may be just about to be rotated.
    await this.#upkeep.leave(path);
    await this.#names.checkDirectories(path);
    const onRepair = (bytes: number): void => this.#tellRepair(path, bytes);
    return await AppendFile.open(path, onRepair, { base: this.#names.base, openFile });
  }

  #tellRepair(path: string, bytes: number): void {
    const text = 'Cut off the torn last line that a crash left; its record is written again';
    this.#options.log.warn({ path, bytes }, text);
  }
}
