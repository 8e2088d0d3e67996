import { once } from 'node:events';
import { CsvTrace, csvHead } from '../trace/csv.ts';
import { PrettyTrace } from '../trace/pretty.ts';
import { viewRecord } from '../trace/record-view.ts';
import type { StoredRecord } from '../trace/stored-record.ts';
import { inert } from '../util/inert.ts';
import { hasColor } from './colour.ts';
import type { Context, Output } from './context.ts';
import type { outputs } from './trace-flags.ts';

export type TraceOutput = (typeof outputs)[number];

export interface PrinterOptions extends Pick<Context, 'env' | 'stdout' | 'signal'> {
  readonly output: TraceOutput;
}

/** A trace that ends within so many records, and bytes, is known whole before it is printed. */
const WHOLE_RECORDS = 1_000;
const WHOLE_BYTES = 4 * 2 ** 20;

/** Prints records one after the other. For people, it first waits whether the trace is short, to show its times to scale. */
export class TracePrinter {
  readonly #options: PrinterOptions;
  #waiting: StoredRecord[] | undefined;
  #waitingBytes = 0;
  #format: (record: StoredRecord) => string | Buffer;

  constructor(options: PrinterOptions) {
    this.#options = options;
    if (options.output === 'pretty') this.#waiting = [];
    if (options.output === 'csv') options.stdout.write(csvHead);
    this.#format = formatter(options);
  }

  async print(record: StoredRecord): Promise<void> {
    if (this.#waiting === undefined) {
      await write(this.#options.stdout, this.#format(record), this.#options.signal);
      return;
    }
    this.#waiting.push(record);
    this.#waitingBytes += record.bytes.length;
    if (this.#waiting.length > WHOLE_RECORDS || this.#waitingBytes > WHOLE_BYTES) await this.#printWaiting();
  }

  /** Prints what waits: no more of the stored trace is to come. */
  async flush(): Promise<void> {
    const [first, last] = [this.#waiting?.[0], this.#waiting?.at(-1)];
    if (first === undefined || last === undefined) return;
    const pretty = new PrettyTrace({ color: hasColor(this.#options), span: { first, last } });
    await this.#printWaiting((record) => pretty.lines(record));
    // What follows lies beyond the span.
    this.#format = (record) => pretty.withoutBar().lines(record);
  }

  async #printWaiting(format = this.#format): Promise<void> {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const record of waiting) await write(this.#options.stdout, format(record), this.#options.signal);
  }
}

function formatter({ output, stdout, env }: PrinterOptions): (record: StoredRecord) => string | Buffer {
  const safe = stdout.isTTY === true ? inert : (text: string): string => text;
  if (output === 'pretty') {
    const pretty = new PrettyTrace({ color: hasColor({ stdout, env }) });
    return (record) => pretty.lines(record);
  }
  if (output === 'csv') {
    const csv = new CsvTrace();
    return (record) => inLines(csv.line(record), safe);
  }
  if (output === 'raw') return ({ bytes }) => inLines(rawText(bytes), safe);
  if (stdout.isTTY === true) return ({ bytes }) => `${inert(bytes.toString('utf8'))}\n`;
  return ({ bytes }) => Buffer.concat([bytes, lineFeed]);
}

const lineFeed = Buffer.from('\n');

/** What the program wrote to be read: its message, and its stack. */
function rawText(bytes: Buffer): string {
  const { message, stack } = viewRecord(bytes.toString('utf8'));
  return `${message}\n${stack === '' ? '' : `${stack.trimEnd()}\n`}`;
}

/** Each line by itself, so that line ends stay. */
function inLines(text: string, safe: (line: string) => string): string {
  return text.split('\n').map(safe).join('\n');
}

/** Waits where the reader of the output is slower than the trace's. */
async function write(stdout: Output, chunk: string | Buffer, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (!stdout.write(chunk)) await once(stdout, 'drain', { signal });
}
