import type { LogRecord } from '../record/log-record.ts';
import type { BatchPreference, LogWriter } from '../writers/log-writer.ts';

/**
 * A writer that is opened before its first batch, by whoever comes first; an `open` that fails is a failed
 * attempt like any other and is tried again with the next.
 */
export class OpenFirst implements LogWriter {
  readonly name: string;
  readonly batch?: BatchPreference;
  readonly #writer: LogWriter;
  #opened: Promise<void> | undefined;

  constructor(writer: LogWriter) {
    this.#writer = writer;
    this.name = writer.name;
    if (writer.batch !== undefined) this.batch = writer.batch;
  }

  async open(signal: AbortSignal): Promise<void> {
    this.#opened ??= this.#open(signal);
    await this.#opened;
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.open(signal);
    await this.#writer.check?.(signal);
  }

  async writeBatch(records: readonly LogRecord[], signal: AbortSignal): Promise<void> {
    if (this.#opened === undefined) await this.open(signal);
    else await this.#opened;
    await this.#writer.writeBatch(records, signal);
  }

  async close(): Promise<void> {
    await this.#writer.close?.();
  }

  async #open(signal: AbortSignal): Promise<void> {
    try {
      await this.#writer.open?.(signal);
    } catch (error) {
      this.#opened = undefined;
      throw error;
    }
  }
}
