import type { KnownNode } from './known-node.ts';
import type { LostPart, NodeDoubt, TraceState } from './trace-state.ts';
import { timeOf } from './unix-time.ts';

/** What a state rests on. */
export interface Found {
  /** Without those that are forgotten. */
  readonly nodes: readonly KnownNode[];
  /** Why nothing is known, where that is so. */
  readonly trouble: string | undefined;
  readonly doubts: readonly NodeDoubt[];
  readonly gaps: readonly LostPart[];
  /** Nodes that lost lines at times that are no longer told. */
  readonly olderGaps: readonly string[];
  readonly forgotten: readonly string[];
  /** Up to when all nodes have to be, in nanoseconds since 1970. */
  readonly needed: bigint;
  /** So many of the trace's records were looked at for their nodes; undefined where it was all. */
  readonly nodesOf: number | undefined;
}

/** Why a state is as it is, for people: in one sentence. */
export function reasonOf(state: TraceState['state'], found: Found): string {
  const { nodes, forgotten, nodesOf } = found;
  const said = [
    ...(state === 'complete' ? [whatIsStored(found)] : nodes.length === 0 ? [whyNobody(found)] : []),
    ...whatIsMissing(found),
  ];
  if (forgotten.length > 0) {
    said.push(`what ${few(forgotten)} lost or had not stored does not count: somebody said that it is gone`);
  }
  if (state === 'complete' && nodesOf !== undefined) {
    said.push(`of which nodes its lines are was looked at in the first ${nodesOf}`);
  }
  if (state === 'unknown' && nodesOf === 0) {
    said.push('of which nodes its lines are could not be seen in time: the store is slow');
  }
  return said.join('; ');
}

function whatIsStored({ nodes, needed }: Found): string {
  const who = nodes.length === 1 ? `${nodes[0]!.node} has` : `all ${nodes.length} nodes have`;
  return `${who} stored everything up to ${timeOf(needed)}`;
}

function whyNobody({ trouble, forgotten }: Found): string {
  if (trouble !== undefined) return trouble;
  const other = 'the records are of other agents, or of a version before watermarks';
  return `no agent tells how far it is${forgotten.length > 0 ? '' : `: ${other}`}`;
}

function whatIsMissing({ doubts, gaps, olderGaps }: Found): string[] {
  const parts = doubts.slice(0, 3).map(({ text }) => text);
  if (doubts.length > 3) parts.push(`and ${doubts.length - 3} more nodes`);
  const lossy = [...new Set(gaps.map(({ node }) => node))];
  if (lossy.length > 0) parts.push(`lines of its time are lost on ${few(lossy)}`);
  if (olderGaps.length > 0) parts.push(`${few(olderGaps)} lost lines at times that are no longer told`);
  return parts;
}

function few(names: readonly string[]): string {
  return names.length <= 3
    ? names.join(', ')
    : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more nodes`;
}
