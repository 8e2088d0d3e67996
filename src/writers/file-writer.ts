import type { Log } from '../ops/log.ts';
import type { LogRecord } from '../record/log-record.ts';
import { ConfigError } from '../util/config-error.ts';
import { AppendFile, type OpenFile } from '../util/append-file.ts';
import { ByteBuffer } from './byte-buffer.ts';
import type { LogWriter } from './log-writer.ts';
import { addNdjsonLine } from './ndjson.ts';

export interface FileWriterOptions {
  /** The NDJSON file; it and its directories are made where they are missing. */
  readonly path: string;
  readonly log: Log;
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

/**
 * Appends records to a file as NDJSON. A batch settles when it is on the disk; batches that arrive while another
 * is being synced share the next write and the next sync. A batch that fails leaves nothing behind.
 */
export class FileWriter implements LogWriter {
  readonly name = 'file';
  readonly batch = { records: 4_096, bytes: 262_144 };
  readonly #options: FileWriterOptions;
  readonly #lines = new ByteBuffer();
  #file: AppendFile | undefined;
  readonly #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;

  constructor(options: FileWriterOptions) {
    this.#options = options;
  }

  /** @throws ConfigError where the file can never be written; a full disk, say, is waited for instead. */
  async open(): Promise<void> {
    try {
      this.#file = await this.#openFile();
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

  async close(): Promise<void> {
    await this.#writing;
    await this.#file?.close();
    this.#file = undefined;
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
    if (this.#file !== undefined && (await this.#file.isDeleted())) {
      this.#options.log.warn(
        { path: this.#options.path },
        'The file written to was deleted: making a new one',
      );
      await this.#file.close();
      this.#file = undefined;
    }
    this.#file ??= await this.#openFile();
    this.#lines.clear();
    for (const { records } of group) for (const record of records) addNdjsonLine(this.#lines, record);
    await this.#file.append(this.#lines.bytes());
  }

  #openFile(): Promise<AppendFile> {
    const { path, log, openFile } = this.#options;
    const onRepair = (bytes: number): void =>
      log.warn({ path, bytes }, 'Cut off the torn last line that a crash left; its record is written again');
    return AppendFile.open(path, onRepair, openFile);
  }
}
