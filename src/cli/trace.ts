import type { Config } from '../config/config.ts';
import { beginReading, type Reading } from '../trace/begin-reading.ts';
import { liveTrace } from '../trace/live-trace.ts';
import { lookForNodes } from '../trace/look-for-nodes.ts';
import { withRecord } from '../trace/span.ts';
import type { StoredRecord } from '../trace/stored-record.ts';
import { filterOf } from '../trace/trace-filter.ts';
import { isWithin, type TraceReader } from '../trace/trace-reader.ts';
import type { Span, TraceState } from '../trace/trace-state.ts';
import { inert } from '../util/inert.ts';
import { hasColor } from './colour.ts';
import type { Context } from './context.ts';
import { readerOf } from './reader-of.ts';
import { stateCodes, stateWords } from './state-words.ts';
import type { TraceOptions } from './trace-flags.ts';
import { type TraceOutput, TracePrinter } from './trace-printer.ts';

export interface TraceRequest extends TraceOptions, Pick<Context, 'env' | 'stdout' | 'stderr' | 'signal'> {
  readonly traceId: string;
  readonly config: Config;
}

/** How often the state of a trace is looked at while it is followed. */
const STATE_MS = 1_000;

/**
 * `frostbeat trace <traceId>`: prints the records of a trace in order, and whether all of it is there; with `follow`,
 * then those that come.
 *
 * @returns 0; 1 where there are none or they cannot be read; 2 where no destination can be asked. With
 *   `untilComplete` or `stateOnly` what `stateCodes` has for the state. Asked to stop, it ends with 0.
 */
export async function traceCommand(request: TraceRequest): Promise<number> {
  const { stderr, signal } = request;
  const reader = await readerOf(request);
  if (reader === undefined) return 2;
  const look = new TraceLook(request, reader);
  try {
    if (reader.onlyReads !== undefined && request.follow === true) {
      stderr.write(`frostbeat: Cannot follow the trace in ${reader.name}: ${reader.onlyReads}\n`);
      return 1;
    }
    return request.stateOnly === true ? await look.state() : await look.records();
  } catch (error) {
    if (signal.aborted) return 0;
    const reason = error instanceof Error ? error.message : String(error);
    stderr.write(`frostbeat: Cannot read the trace from ${reader.name}: ${inert(reason)}\n`);
    return 1;
  } finally {
    await reader.close();
  }
}

/** One look at a trace. */
class TraceLook {
  readonly #request: TraceRequest;
  readonly #reader: TraceReader;
  readonly #output: TraceOutput;
  readonly #isShown: (record: StoredRecord) => boolean;
  #span: Span | undefined;
  #found = 0;
  #shown = 0;

  constructor(request: TraceRequest, reader: TraceReader) {
    this.#request = request;
    this.#reader = reader;
    this.#output = request.output ?? (request.stdout.isTTY === true ? 'pretty' : 'json');
    this.#isShown = filterOf(request.filter ?? {});
  }

  async state(): Promise<number> {
    const { traceId, signal, stderr, stdout } = this.#request;
    const { nodes, mark } = await beginReading(this.#reader, signal);
    const isWhole = this.#reader.onlyReads === undefined;
    const span = isWhole ? await this.#reader.span(traceId, mark, signal) : await this.#spanFound(mark);
    this.#tellLooked();
    if (span === undefined) {
      stderr.write(`frostbeat: ${this.#nothing()}\n`);
      return 1;
    }
    const state = await this.#judge(span, { nodes, mark });
    stdout.write(this.#output === 'json' ? stateJson(state) : this.#words(state));
    return stateCodes[state.state];
  }

  async records(): Promise<number> {
    const { traceId, stderr, signal, follow, since, until, untilComplete } = this.#request;
    const { nodes, mark } = await beginReading(this.#reader, signal);
    const printer = new TracePrinter({ ...this.#request, output: this.#output });
    const all = this.#reader.read(traceId, signal, { at: mark, since, until });
    await this.#show(all, printer);
    await printer.flush();
    this.#tellLooked();
    // The state is that of the whole trace, whatever part of it is shown.
    if (this.#reader.onlyReads === undefined && (since !== undefined || until !== undefined)) {
      this.#span = await this.#reader.span(traceId, mark, signal);
    }
    if (follow === true) {
      const state = await this.#follow(mark, printer);
      if (untilComplete === true && state !== undefined) return stateCodes[state.state];
    }
    if (this.#shown === 0) stderr.write(`frostbeat: ${this.#nothing()}\n`);
    if (follow !== true && this.#span !== undefined) {
      this.#tell(await this.#judge(this.#span, { nodes, mark }));
    }
    return this.#shown > 0 ? 0 : 1;
  }

  /** @returns the state that ended it; else it ends with the signal. */
  async #follow(mark: string, printer: TracePrinter): Promise<TraceState | undefined> {
    const { traceId, config, signal, stderr, untilComplete } = this.#request;
    if (this.#output === 'pretty') {
      const end = untilComplete === true ? 'until the trace is complete' : 'until Ctrl-C';
      stderr.write(`frostbeat: waiting for new lines, ${end}\n`);
    }
    const options = {
      traceId,
      mark,
      span: this.#span,
      mostForNodes: Number.POSITIVE_INFINITY,
      graceMs: config.traceGraceMs,
      everyMs: STATE_MS,
      now: () => Date.now(),
    };
    for await (const event of liveTrace(this.#reader, options, signal)) {
      if ('records' in event) {
        await this.#show(
          event.records.filter(({ unixNano }) => isWithin(unixNano, this.#request)),
          printer,
        );
        await printer.flush();
      } else {
        this.#tell(event.state);
        if (untilComplete === true && !event.state.waits) return event.state;
      }
    }
    return undefined;
  }

  async #show(
    records: AsyncIterable<StoredRecord> | readonly StoredRecord[],
    printer: TracePrinter,
  ): Promise<void> {
    for await (const record of records) {
      this.#found++;
      this.#span = withRecord(this.#span, record);
      if (!this.#isShown(record)) continue;
      this.#shown++;
      await printer.print(record);
    }
  }

  /** For people under the lines; beside what programs read, on standard error. */
  #tell(state: TraceState): void {
    const { stdout, stderr } = this.#request;
    if (this.#output === 'pretty') stdout.write(this.#words(state));
    else if (this.#output === 'json') stderr.write(stateJson(state));
    else if (!this.#isPlain(state)) stderr.write(this.#words(state));
  }

  /** Nothing is to be said of it: it is complete, and without a but. */
  #isPlain({ state, forgotten }: TraceState): boolean {
    return state === 'complete' && forgotten.length === 0 && this.#reader.onlyReads === undefined;
  }

  #words(state: TraceState): string {
    const { traceId, follow } = this.#request;
    const color = this.#output === 'pretty' && hasColor(this.#request);
    return stateWords(state, { traceId, color, following: follow === true });
  }

  async #judge(span: Span, { nodes, mark }: Reading): Promise<TraceState> {
    const { traceId, config, signal } = this.#request;
    const { nodesSeen, onlyReads } = this.#reader;
    const seen = nodesSeen === undefined ? span : { ...span, nodes: nodesSeen };
    const look = {
      traceId,
      mark,
      most: Number.POSITIVE_INFINITY,
      nowMs: Date.now(),
      graceMs: config.traceGraceMs,
    };
    const { state } = await lookForNodes(this.#reader, { span: seen, nodes }, look, signal);
    if (onlyReads === undefined || nodes.nodes.length === 0) return state;
    return {
      ...state,
      reason: `${state.reason}; of lines outside of what was looked through this tells nothing`,
    };
  }

  /** The first and last time of what is there of the times that are asked for. */
  async #spanFound(mark: string): Promise<Span | undefined> {
    const { traceId, signal, since, until } = this.#request;
    let span: Span | undefined;
    for await (const record of this.#reader.read(traceId, signal, { at: mark, since, until })) {
      span = withRecord(span, record);
    }
    return span;
  }

  #tellLooked(): void {
    const { looked } = this.#reader;
    if (looked !== undefined) this.#request.stderr.write(`frostbeat: ${inert(looked)}\n`);
  }

  #nothing(): string {
    const { traceId, since, until } = this.#request;
    const of = `of the trace «${inert(traceId)}»`;
    const { name } = this.#reader;
    if (this.#found > 0) return `none of the ${this.#found} records ${of} in ${name} is what was asked for`;
    const when = since === undefined && until === undefined ? '' : ' of that time';
    return `no record${when} ${of} in ${name}`;
  }
}

function stateJson(state: TraceState): string {
  return `${inert(JSON.stringify(state))}\n`;
}
