import type { Writable } from 'node:stream';
import type { LogRecord } from '../record/log-record.ts';
import type { LogWriter } from './log-writer.ts';

/** Writes each record as a line to standard output. What the reader does with it is not known: no promise. */
export class StdoutWriter implements LogWriter {
  readonly name = 'stdout';
  readonly #stdout: Writable;

  constructor(stdout: Writable = process.stdout) {
    this.#stdout = stdout;
  }

  /** Resolves when the operating system has taken the records, so that a slow reader slows the agent down. */
  async writeBatch(records: readonly LogRecord[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    let text = '';
    for (const { latin1 } of records) text += `${latin1}\n`;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const giveUp = (): void => reject(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    this.#stdout.write(text, 'latin1', (error) =>
      error
        ? reject(new Error('Cannot write to standard output: its reader is gone', { cause: error }))
        : resolve(),
    );
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }
}
