import { beginReading } from '../trace/begin-reading.ts';
import type { Nodes } from '../trace/known-node.ts';
import { lookForNodes } from '../trace/look-for-nodes.ts';
import { withRecord } from '../trace/span.ts';
import type { ReadOptions, TraceReader } from '../trace/trace-reader.ts';
import type { Span, TraceState } from '../trace/trace-state.ts';
import { cursorText } from './cursor.ts';
import type { Limits } from './limits.ts';
import { Problem } from './problem.ts';
import { recordJson } from './record-json.ts';

export interface PageRequest extends ReadOptions {
  readonly traceId: string;
  /** At most the limit's. */
  readonly limit: number;
  readonly graceMs: number;
}

/**
 * One page of a trace, as JSON text. The first one has the state of the trace, too: what the nodes told later than
 * the moment that all pages are of says nothing about them.
 *
 * @throws Problem where nothing was found in the time there is.
 */
export async function tracePage(
  reader: TraceReader,
  { traceId, limit, graceMs, ...options }: PageRequest,
  limits: Limits,
  signal: AbortSignal,
): Promise<string> {
  const time = AbortSignal.timeout(limits.pageMs);
  const both = AbortSignal.any([signal, time]);
  const records: string[] = [];
  let bytes = 0;
  let next: string | undefined;
  let at = options.at;
  let nodes: Nodes | undefined;
  let span: Span | undefined;
  let state: TraceState | undefined;
  try {
    if (at === undefined) ({ nodes, mark: at } = await beginReading(reader, both));
    for await (const record of reader.read(traceId, both, { ...options, at })) {
      const json = recordJson(record);
      records.push(json);
      span = withRecord(span, record);
      bytes += json.length;
      if (records.length === limit || bytes >= limits.pageBytes) {
        next = cursorText({ at, after: record });
        break;
      }
    }
    // Of a trace that is not all here, the end is looked for.
    const part = next !== undefined || options.since !== undefined || options.until !== undefined;
    if (nodes !== undefined && part) span = await reader.span(traceId, at, both);
    if (nodes !== undefined && span !== undefined) {
      const enough = AbortSignal.any([time, AbortSignal.timeout(limits.stateRecordsMs)]);
      const look = { traceId, mark: at, most: limits.stateRecords, enough, nowMs: Date.now(), graceMs };
      ({ state } = await lookForNodes(reader, { span, nodes }, look, signal));
    }
  } catch (error) {
    if (!time.aborted || signal.aborted) throw error;
    throw new Problem(
      504,
      `The store took longer than ${limits.pageMs} ms; ask for less (limit, since, until)`,
    );
  }
  const head = JSON.stringify({
    traceId,
    mark: at,
    next: next ?? null,
    ...(state !== undefined && { state }),
  });
  return `${head.slice(0, -1)},"records":[${records.join(',\n')}]}\n`;
}
