import type { KnownNode, Nodes } from './known-node.ts';
import { nodeDoubt, lostParts } from './node-doubt.ts';
import { withNodesSeen } from './nodes-seen.ts';
import type { LostPart, NodeDoubt, Span, TraceState } from './trace-state.ts';
import type { TraceSummary } from './trace-summary.ts';
import { timeOf } from './unix-time.ts';

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
  const { nodes, trouble } = span.nodes === undefined ? told : withNodesSeen(told, span.nodes);
  const grace = BigInt(Math.round(options.graceMs)) * 1_000_000n;
  const needed = BigInt(span.last) + grace;
  const doubts = nodes
    .map((node) => nodeDoubt(node, { needed, nowMs: options.nowMs }))
    .filter((doubt) => doubt !== undefined);
  const from = BigInt(span.first) - grace;
  const gaps = nodes.flatMap((node) => lostParts(node, { from, to: needed }));
  const olderGaps = nodes.filter(({ report }) => mayHaveOlderGaps(report, from)).map(({ node }) => node);
  const waits = doubts.some(({ waits: worthIt }) => worthIt);
  const states = {
    incomplete: doubts.some(({ why }) => why === 'silent') || gaps.length > 0 || olderGaps.length > 0,
    open: waits,
    unknown: doubts.length > 0 || nodes.length === 0,
  };
  const state = (['incomplete', 'open', 'unknown'] as const).find((one) => states[one]) ?? 'complete';
  const named = new Set([...doubts.map(({ node }) => node), ...gaps.map(({ node }) => node), ...olderGaps]);
  return {
    state,
    reason: reasonOf(state, { nodes, trouble, doubts, gaps, olderGaps, needed, nodesOf: span.nodesOf }),
    nodes: [...named].slice(0, MOST),
    doubts: doubts.slice(0, MOST),
    waits,
    gaps: gaps.slice(0, MOST),
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

/** Of the gaps that a report has no room for it is known that they are older than those that it tells of. */
function mayHaveOlderGaps(report: KnownNode['report'], from: bigint): boolean {
  if (report === undefined || report.gapsLeftOut === 0) return false;
  const oldest = report.gaps.at(-1);
  return oldest === undefined || Date.parse(oldest.end) >= Number(from / 1_000_000n);
}

function leastWatermark(nodes: readonly KnownNode[]): string | null {
  const all = nodes.map(({ report }) => report?.watermark ?? null);
  return all.includes(null) ? null : ((all as string[]).toSorted()[0] ?? null);
}

function reasonOf(
  state: TraceState['state'],
  found: {
    readonly nodes: readonly KnownNode[];
    readonly trouble: string | undefined;
    readonly doubts: readonly NodeDoubt[];
    readonly gaps: readonly LostPart[];
    readonly olderGaps: readonly string[];
    readonly needed: bigint;
    readonly nodesOf: number | undefined;
  },
): string {
  const { nodes, trouble, doubts, gaps, olderGaps, needed, nodesOf } = found;
  if (state === 'complete') {
    const who = nodes.length === 1 ? `${nodes[0]!.node} has` : `all ${nodes.length} nodes have`;
    const part =
      nodesOf === undefined ? '' : `; of which nodes its lines are was looked at in the first ${nodesOf}`;
    return `${who} stored everything up to ${timeOf(needed)}${part}`;
  }
  if (nodes.length === 0) {
    return (
      trouble ??
      'no agent tells how far it is: the records are of other agents, or of a version before watermarks'
    );
  }
  const parts = doubts.slice(0, 3).map(({ text }) => text);
  if (doubts.length > 3) parts.push(`and ${doubts.length - 3} more nodes`);
  const lossy = [...new Set(gaps.map(({ node }) => node))];
  if (lossy.length > 0) parts.push(`lines of its time are lost on ${few(lossy)}`);
  if (olderGaps.length > 0) parts.push(`${few(olderGaps)} lost lines at times that are no longer told`);
  return parts.join('; ');
}

function few(names: readonly string[]): string {
  return names.length <= 3
    ? names.join(', ')
    : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more nodes`;
}
