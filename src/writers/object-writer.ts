import { promisify } from 'node:util';
import { gzip, type ZlibOptions } from 'node:zlib';
import type { LogRecord } from '../record/log-record.ts';
import { ByteBuffer } from './byte-buffer.ts';
import { type BatchPreference, type LogWriter, PartialWriteError } from './log-writer.ts';
import { addNdjsonLine } from './ndjson.ts';
import { ObjectNames } from './object-names.ts';
import type { ObjectStore } from './object-store.ts';

const compress = promisify(gzip);

/** Bytes of a line around its record, with a trace ID of a usual length. */
const FRAME_BYTES = 160;
/** What is compressed is handed over in so many bytes at once; with Node's 16 KiB that took a tenth of the CPU time. */
const CHUNK_BYTES = 512 * 1024;
/** More records than a batch of these bytes ever has. */
const MOST_RECORDS = 1_000_000;

export interface ObjectWriterOptions {
  readonly name: string;
  readonly store: ObjectStore;
  /** What names begin with. */
  readonly prefix: string;
  /** Bytes of records in an object, before they are compressed. */
  readonly objectBytes: number;
  /** Longest that a record waits for its object to be full, in milliseconds. */
  readonly objectAgeMs: number;
  /** Of gzip: 1 is fast, 9 is small. */
  readonly gzipLevel: number;
}

/**
 * Writes each batch as objects of compressed NDJSON, one for each hour of the records. The same batch is the same
 * objects, so that a batch that is tried again overwrites itself.
 */
export class ObjectWriter implements LogWriter {
  readonly name: string;
  readonly batch: BatchPreference;
  readonly #store: ObjectStore;
  readonly #names: ObjectNames;
  readonly #gzip: ZlibOptions;

  constructor({ name, store, prefix, objectBytes, objectAgeMs, gzipLevel }: ObjectWriterOptions) {
    this.name = name;
    this.batch = { records: MOST_RECORDS, bytes: objectBytes, periodMs: objectAgeMs };
    this.#store = store;
    this.#names = new ObjectNames(prefix);
    this.#gzip = { level: gzipLevel, chunkSize: CHUNK_BYTES };
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.#store.check(signal);
  }

  /** @throws PartialWriteError where some objects of the batch are stored. */
  async writeBatch(records: readonly LogRecord[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const stored: LogRecord[] = [];
    try {
      for (const { name, records: part } of this.#names.of(records)) {
        await this.#store.put(name, await compress(linesOf(part), this.#gzip), signal);
        // By itself each: as arguments of one call they can be more than a stack has room for.
        if (part.length < records.length) for (const record of part) stored.push(record);
      }
    } catch (error) {
      if (stored.length === 0) throw error;
      throw new PartialWriteError((error as Error).message, { stored }, { cause: error });
    }
  }

  async close(): Promise<void> {
    this.#store.close();
  }
}

function linesOf(records: readonly LogRecord[]): Buffer {
  let expected = 0;
  for (const { byteLength } of records) expected += byteLength + FRAME_BYTES;
  // Of its size at once: growing to some megabytes would take as much again, and copies.
  const lines = new ByteBuffer(expected);
  for (const record of records) addNdjsonLine(lines, record);
  return lines.bytes();
}
