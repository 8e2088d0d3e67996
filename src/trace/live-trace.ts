import { pause } from '../util/pause.ts';
import { beginReading } from './begin-reading.ts';
import { lookForNodes } from './look-for-nodes.ts';
import { withRecord } from './span.ts';
import type { StoredRecord } from './stored-record.ts';
import type { Followed, TraceReader } from './trace-reader.ts';
import type { Span, TraceState } from './trace-state.ts';

/** What happens to a trace while somebody looks: records are stored, and its state changes. */
export type TraceEvent =
  { readonly records: readonly StoredRecord[]; readonly mark: string } | { readonly state: TraceState };

export interface LiveOptions {
  readonly traceId: string;
  /** Behind it the records begin. */
  readonly mark: string;
  /** Of the records before that mark; undefined where there are none. */
  readonly span: Span | undefined;
  /** So many records are looked at for their nodes, where the span does not tell them. */
  readonly mostForNodes: number;
  /** And for so long, in milliseconds; without it, however long that takes. */
  readonly mostForNodesMs?: number;
  readonly graceMs: number;
  /** How often the state is looked at. */
  readonly everyMs: number;
  readonly now: () => number;
}

/**
 * The records of a trace that are stored behind a mark, and its state where it changes. The state is that of the
 * records that were given: before it is said to be complete, those that a watch still owes are read.
 */
export async function* liveTrace(
  reader: Pick<TraceReader, 'nodes' | 'now' | 'read' | 'between' | 'follow'>,
  options: LiveOptions,
  signal: AbortSignal,
): AsyncGenerator<TraceEvent, void> {
  const { traceId, graceMs, everyMs, now, mostForNodes: most, mostForNodesMs } = options;
  let { mark, span } = options;
  let said = '';
  let wasUntold = false;
  let nextLook = performance.now();
  let following = new Following(reader, { traceId, mark }, signal);
  try {
    for (;;) {
      const followed = await following.next(Math.max(0, nextLook - performance.now()));
      if (followed !== undefined) {
        mark = followed.mark;
        for (const record of followed.records) span = withRecord(span, record);
        if (followed.records.length > 0) yield followed;
      }
      if (performance.now() < nextLook) continue;
      nextLook = performance.now() + everyMs;
      if (span === undefined) continue;
      const reading = await beginReading(reader, signal);
      const judge = async (of: Span): Promise<TraceState> => {
        const enough = mostForNodesMs === undefined ? undefined : AbortSignal.timeout(mostForNodesMs);
        const look = { traceId, mark: reading.mark, most, nowMs: now(), graceMs, ...(enough && { enough }) };
        const looked = await lookForNodes(reader, { span: of, nodes: reading.nodes }, look, signal);
        ({ span } = looked);
        return looked.state;
      };
      let state = await judge(span);
      if (state.state === 'complete' && said !== keyOf(state, span)) {
        const owed = reader.between(traceId, { after: mark, upTo: reading.mark }, signal);
        let late = false;
        for await (const records of owed) {
          late = true;
          for (const record of records) span = withRecord(span, record);
          yield { records, mark };
        }
        if (late) {
          ({ mark } = reading);
          await following.end();
          following = new Following(reader, { traceId, mark }, signal);
          state = await judge(span);
        }
      }
      // The report of an agent that has just started comes with its first records, and may be a moment later.
      const untold = state.doubts.some(({ why }) => why === 'untold');
      if (untold && !wasUntold) {
        wasUntold = true;
        continue;
      }
      wasUntold = untold;
      if (keyOf(state, span) === said) continue;
      said = keyOf(state, span);
      yield { state };
    }
  } finally {
    await following.end();
  }
}

/** A state is said again when it says something else; a watermark that moves is nothing else. */
function keyOf({ state, nodes, gaps, doubts }: TraceState, span: Span): string {
  return JSON.stringify([
    state,
    nodes,
    gaps.length,
    doubts.map(({ why }) => why),
    state === 'complete' && span,
  ]);
}

/** A trace that is followed, asked for what comes within a time. */
class Following {
  readonly #stop = new AbortController();
  readonly #records: AsyncIterator<Followed, void>;
  readonly #signal: AbortSignal;
  #next: Promise<IteratorResult<Followed, void>> | undefined;

  constructor(
    reader: Pick<TraceReader, 'follow'>,
    { traceId, mark }: { traceId: string; mark: string },
    signal: AbortSignal,
  ) {
    this.#signal = AbortSignal.any([signal, this.#stop.signal]);
    this.#records = reader.follow(traceId, mark, this.#signal)[Symbol.asyncIterator]();
  }

  /** @returns undefined where nothing has come in that time. */
  async next(withinMs: number): Promise<Followed | undefined> {
    this.#next ??= this.#records.next();
    const enough = new AbortController();
    const waited = pause(withinMs, AbortSignal.any([this.#signal, enough.signal])).then(
      () => undefined,
      () => undefined,
    );
    const result = await Promise.race([this.#next, waited]);
    enough.abort(new Error('something came'));
    this.#signal.throwIfAborted();
    if (result === undefined) return undefined;
    this.#next = undefined;
    if (result.done === true) throw new Error('Cannot follow the trace: the store ended it');
    return result.value;
  }

  async end(): Promise<void> {
    this.#stop.abort(new Error('no longer followed'));
    await this.#next?.catch(() => undefined);
    await this.#records.return?.();
  }
}
