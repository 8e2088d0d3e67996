import type { KnownNode, Nodes } from './known-node.ts';
import { isGivenUp, lostParts, mayHaveOlderGaps, nodeDoubt } from './node-doubt.ts';
import { withNodesSeen } from './nodes-seen.ts';
import { reasonOf } from './state-reason.ts';
import type { Span, TraceState } from './trace-state.ts';
import type { TraceSummary } from './trace-summary.ts';

export interface StateOptions {
  readonly nowMs: number;
  /** How far beyond its last record a trace may go on unseen: clocks differ, programs buffer. */
  readonly graceMs: number;
}

const MOST = 100;

/**
 * The state of a trace whose records were read **after** what the nodes tell: only then every line before a
 * watermark is among them.
 */
export function traceState(span: Span, told: Nodes, options: StateOptions): TraceState {
  const { nodes: all, trouble } = span.nodes === undefined ? told : withNodesSeen(told, span.nodes);
  const grace = BigInt(Math.round(options.graceMs)) * 1_000_000n;
  const from = BigInt(span.first) - grace;
  const needed = BigInt(span.last) + grace;
  const nodes = all.filter(({ report }) => report?.forgotten === undefined);
  const doubts = nodes
    .map((node) => nodeDoubt(node, { needed, nowMs: options.nowMs }))
    .filter((doubt) => doubt !== undefined);
  const gaps = nodes.flatMap((node) => lostParts(node, { from, to: needed }));
  const olderGaps = nodes.filter(({ report }) => mayHaveOlderGaps(report, from)).map(({ node }) => node);
  const forgotten = all
    .filter((one) => isGivenUp(one, { from, needed, seen: span.nodes }))
    .map(({ node }) => node);
  const waits = doubts.some(({ waits: worthIt }) => worthIt);
  const states = {
    incomplete: doubts.some(({ why }) => why === 'silent') || gaps.length > 0 || olderGaps.length > 0,
    open: waits,
    unknown: doubts.length > 0 || nodes.length === 0 || span.nodesOf === 0,
  };
  const state = (['incomplete', 'open', 'unknown'] as const).find((one) => states[one]) ?? 'complete';
  const named = new Set([...doubts.map(({ node }) => node), ...gaps.map(({ node }) => node), ...olderGaps]);
  const found = { nodes, trouble, doubts, gaps, olderGaps, forgotten, needed, nodesOf: span.nodesOf };
  return {
    state,
    reason: reasonOf(state, found),
    nodes: [...named].slice(0, MOST),
    doubts: doubts.slice(0, MOST),
    waits,
    gaps: gaps.slice(0, MOST),
    forgotten: forgotten.slice(0, MOST),
    watermark: leastWatermark(nodes),
  };
}

/** The state of a trace in a list, where its times are known as they were after what the nodes tell. */
export function summaryState(
  { firstUnixNano, lastUnixNano, nodes: seen, partial, timesKnown }: TraceSummary,
  nodes: Nodes,
  options: StateOptions,
): TraceState['state'] | undefined {
  if (partial && timesKnown !== true) return undefined;
  const span = { first: firstUnixNano, last: lastUnixNano, nodes: new Set(seen) };
  return traceState(span, nodes, options).state;
}

function leastWatermark(nodes: readonly KnownNode[]): string | null {
  const all = nodes.map(({ report }) => report?.watermark ?? null);
  return all.includes(null) ? null : ((all as string[]).toSorted()[0] ?? null);
}
