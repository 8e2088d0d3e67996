import type { SearchAccess } from '../config/config.ts';
import type { Log } from '../ops/log.ts';
import type { LogRecord } from '../record/log-record.ts';
import { ByteBuffer } from './byte-buffer.ts';
import { type LogWriter, PartialWriteError, type Rejection } from './log-writer.ts';
import { addBulk, bulkFilter, readBulk } from './search-bulk.ts';
import type { SearchProduct } from './search-client.ts';
import { SearchConnection } from './search-connection.ts';
import { SearchFailure } from './search-errors.ts';
import { makeReady, makeIndex } from './search-setup.ts';

export interface SearchWriterOptions {
  readonly product: SearchProduct;
  readonly access: SearchAccess;
  /** KUBERNETES_METADATA. */
  readonly kubernetes: boolean;
  readonly log: Log;
}

/**
 * Writes records to Elasticsearch or OpenSearch: each is created under its identity, so that a second time finds it
 * there (409), which is as good. Of a batch only what failed is tried again.
 */
export class SearchWriter implements LogWriter {
  readonly name: SearchProduct;
  readonly batch = { records: 2_000, bytes: 1_048_576 };
  readonly #options: SearchWriterOptions;
  readonly #connection: SearchConnection;
  /** Not in use now. */
  readonly #buffers: ByteBuffer[] = [];

  constructor(options: SearchWriterOptions) {
    this.#options = options;
    this.name = options.product;
    this.#connection = new SearchConnection(options.product, options.access);
  }

  /** Installs the index template, and makes today's index or the data stream, so that what is wrong shows now. */
  async open(signal: AbortSignal): Promise<void> {
    const { access, log } = this.#options;
    await makeReady(this.#connection, { access, log, now: Date.now() }, signal);
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.#connection.check(signal);
  }

  async writeBatch(records: readonly LogRecord[], signal: AbortSignal): Promise<void> {
    const done: { stored: LogRecord[]; rejections: Rejection[] } = { stored: [], rejections: [] };
    const failure = await this.#write(records, done, signal).catch((error: unknown) => {
      // Nothing is known of any record: the words of the failure, and its delay, stand for all.
      if (done.stored.length === 0 && done.rejections.length === 0) throw error;
      return error instanceof Error ? error.message : String(error);
    });
    if (failure === undefined && done.rejections.length === 0) return;
    throw new PartialWriteError(failure ?? 'some records are refused', done);
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  /** @returns why some were not written; undefined where all were, or are refused. */
  async #write(
    records: readonly LogRecord[],
    done: { stored: LogRecord[]; rejections: Rejection[] },
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const answer = await this.#send(records, signal);
    if (answer === 'too-large') {
      if (records.length === 1) {
        const reason = `the request is too large for the server (413), at ${records[0]!.byteLength} bytes`;
        done.rejections.push({ record: records[0]!, reason });
        return undefined;
      }
      const half = Math.ceil(records.length / 2);
      const first = await this.#write(records.slice(0, half), done, signal);
      return (await this.#write(records.slice(half), done, signal)) ?? first;
    }
    const { stored, rejections, homeless, failure } = readBulk(records, answer);
    done.stored.push(...stored);
    done.rejections.push(...rejections);
    if (homeless.length > 0) await this.#makeHomes(homeless, signal);
    return failure;
  }

  async #send(records: readonly LogRecord[], signal: AbortSignal): Promise<Buffer | 'too-large'> {
    const { access, kubernetes } = this.#options;
    const buffer = this.#buffers.pop() ?? new ByteBuffer();
    try {
      addBulk(buffer, records, {
        index: access.index,
        fields: access.fields,
        kubernetes,
        storedAt: Date.now(),
      });
      const { status, body } = await this.#connection.send(
        {
          method: 'POST',
          path: '/_bulk',
          query: { filter_path: bulkFilter },
          body: buffer.bytes(),
          ndjson: true,
        },
        signal,
        [413],
      );
      return status === 413 ? 'too-large' : body;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new SearchFailure(`it gives no answer of ${this.name}'s: ${error.message}`);
    } finally {
      buffer.clear();
      this.#buffers.push(buffer);
    }
  }

  /** A new day, on a server that makes no index by itself. */
  async #makeHomes(homeless: readonly LogRecord[], signal: AbortSignal): Promise<void> {
    const { index } = this.#options.access;
    for (const unixNano of new Set(homeless.map((record) => record.unixNano)))
      await makeIndex(this.#connection, { index, unixNano }, signal);
  }
}
