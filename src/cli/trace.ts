import { once } from 'node:events';
import type { Config } from '../config/config.ts';
import { CsvTrace, csvHead } from '../trace/csv.ts';
import { PrettyTrace } from '../trace/pretty.ts';
import { viewRecord } from '../trace/record-view.ts';
import { defaultReadable, type Readable, selectTraceReader } from '../trace/select-reader.ts';
import type { StoredRecord } from '../trace/stored-record.ts';
import { isWithin, type TraceReader } from '../trace/trace-reader.ts';
import { filterOf } from '../trace/trace-filter.ts';
import type { TraceState } from '../trace/trace-state.ts';
import { inert } from '../util/inert.ts';
import type { Context, Output } from './context.ts';
import type { TraceOptions } from './trace-flags.ts';

export interface TraceRequest extends TraceOptions, Pick<Context, 'env' | 'stdout' | 'stderr' | 'signal'> {
  readonly traceId: string;
  readonly config: Config;
}

/** A trace that ends within so many records, and bytes, is known whole before it is printed. */
const WHOLE_RECORDS = 1_000;
const WHOLE_BYTES = 4 * 2 ** 20;

/**
 * `frostbeat trace <traceId>`: prints the records of a trace in order; with `follow`, then those that come.
 *
 * @returns 0; 1 where there are none or they cannot be read; 2 where no destination can be asked. Asked to
 *   stop, it ends with 0.
 */
export async function traceCommand(request: TraceRequest): Promise<number> {
  const { traceId, stderr, signal, follow } = request;
  const reader = await readerOf(request);
  if (reader === undefined) return 2;
  try {
    const at = follow === true ? await reader.now(signal) : undefined;
    const isShown = filterOf(request.filter ?? {});
    const printer = new Printer(request);
    let found = 0;
    let shown = 0;
    const show = async (records: AsyncIterable<StoredRecord> | readonly StoredRecord[]): Promise<void> => {
      for await (const record of records) {
        found++;
        if (!isShown(record)) continue;
        shown++;
        await printer.print(record);
      }
    };
    await show(reader.read(traceId, signal, { at, since: request.since, until: request.until }));
    await printer.flush();
    if (follow === true && at !== undefined) {
      if (printer.isForPeople) stderr.write('frostbeat: waiting for new lines; Ctrl-C ends it\n');
      for await (const { records } of reader.follow(traceId, at, signal)) {
        await show(records.filter(({ unixNano }) => isWithin(unixNano, request)));
        await printer.flush();
      }
    }
    const state = await reader.state?.(traceId, signal);
    if (state !== undefined && printer.isForPeople) stderr.write(stateLine(state));
    if (shown > 0) return 0;
    stderr.write(`frostbeat: ${nothing(request, reader.name, found)}\n`);
    return 1;
  } catch (error) {
    if (signal.aborted) return 0;
    const reason = error instanceof Error ? error.message : String(error);
    stderr.write(`frostbeat: Cannot read the trace from ${reader.name}: ${inert(reason)}\n`);
    return 1;
  } finally {
    await reader.close();
  }
}

/** The reader that was asked for, or the first of WRITERS; says so where there is none. */
export async function readerOf(request: {
  readonly from?: Readable | undefined;
  readonly config: Config;
  readonly stderr: Output;
}): Promise<TraceReader | undefined> {
  const { config, stderr } = request;
  const from = request.from ?? defaultReadable(config);
  if (from !== undefined) return selectTraceReader(from, config);
  stderr.write(
    `frostbeat: WRITERS is «${inert(config.writers.join(','))}»: traces can be read from etcd or file; say which with --from\n`,
  );
  return undefined;
}

/** Whether colours are shown: on a terminal, unless NO_COLOR forbids it (https://no-color.org). */
export function hasColor({ stdout, env }: Pick<Context, 'stdout' | 'env'>): boolean {
  return stdout.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
}

function nothing({ traceId, since, until }: TraceRequest, name: string, found: number): string {
  const of = `of the trace «${inert(traceId)}»`;
  if (found > 0) return `none of the ${found} records ${of} in ${name} is what was asked for`;
  const when = since === undefined && until === undefined ? '' : ' of that time';
  return `no record${when} ${of} in ${name}`;
}

function stateLine({ state, reason }: TraceState): string {
  return `frostbeat: the trace is ${state}${reason === '' ? '' : `: ${inert(reason)}`}\n`;
}

/** Prints records one after the other. For people, it first waits whether the trace is short, to show its times to scale. */
class Printer {
  readonly isForPeople: boolean;
  readonly #request: TraceRequest;
  #waiting: StoredRecord[] | undefined;
  #waitingBytes = 0;
  #format: (record: StoredRecord) => string | Buffer;

  constructor(request: TraceRequest) {
    this.#request = request;
    const terminal = request.stdout.isTTY === true;
    const output = request.output ?? (terminal ? 'pretty' : 'json');
    this.isForPeople = output === 'pretty';
    if (output === 'pretty') this.#waiting = [];
    if (output === 'csv') request.stdout.write(csvHead);
    this.#format = formatter(output, request);
  }

  async print(record: StoredRecord): Promise<void> {
    if (this.#waiting === undefined) {
      await write(this.#request.stdout, this.#format(record), this.#request.signal);
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
    const pretty = new PrettyTrace({ color: hasColor(this.#request), span: { first, last } });
    await this.#printWaiting((record) => pretty.lines(record));
    // What follows lies beyond the span.
    this.#format = (record) => pretty.withoutBar().lines(record);
  }

  async #printWaiting(format = this.#format): Promise<void> {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const record of waiting) await write(this.#request.stdout, format(record), this.#request.signal);
  }
}

function formatter(
  output: 'pretty' | 'json' | 'raw' | 'csv',
  { stdout, env }: TraceRequest,
): (record: StoredRecord) => string | Buffer {
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
