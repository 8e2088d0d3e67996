import { type StateOptions, traceState } from './judge-trace.ts';
import type { Nodes } from './known-node.ts';
import { withRecord } from './span.ts';
import type { TraceReader } from './trace-reader.ts';
import type { Span, TraceState } from './trace-state.ts';

export interface NodesLook extends StateOptions {
  readonly traceId: string;
  /** The moment that the span is of. */
  readonly mark: string;
  /** So many records are looked at, the first. */
  readonly most: number;
  /** When it aborts, those that were looked at until then are all. */
  readonly enough?: AbortSignal;
}

/**
 * The state of a trace of which maybe only the times are known: before it is called complete, its records are read for
 * nodes that tell nothing of themselves.
 *
 * @returns the span, too, with the nodes where they were seen: where there was time for none, the next look is as this.
 */
export async function lookForNodes(
  reader: Pick<TraceReader, 'read'>,
  { span, nodes }: { readonly span: Span; readonly nodes: Nodes },
  { traceId, mark, most, enough, ...options }: NodesLook,
  signal: AbortSignal,
): Promise<{ readonly state: TraceState; readonly span: Span }> {
  const state = traceState(span, nodes, options);
  if (state.state !== 'complete' || span.nodes !== undefined) return { state, span };
  let seen: Span | undefined;
  let count = 0;
  let nodesOf: number | undefined;
  const either = enough === undefined ? signal : AbortSignal.any([signal, enough]);
  try {
    for await (const record of reader.read(traceId, either, { at: mark })) {
      if (count === most) {
        nodesOf = most;
        break;
      }
      seen = withRecord(seen, record);
      count += 1;
    }
  } catch (error) {
    if (signal.aborted || enough?.aborted !== true) throw error;
    nodesOf = count;
  }
  const known = { ...span, nodes: seen?.nodes ?? new Set<string>(), nodesOf };
  return { state: traceState(known, nodes, options), span: nodesOf === 0 ? span : known };
}
