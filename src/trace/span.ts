import { nodeOfRecord } from './node-of-record.ts';
import { compareUnixNano, type StoredRecord } from './stored-record.ts';
import type { Span } from './trace-state.ts';

/** So many nodes of a trace are kept: far more than any has, and records are hostile. */
const MOST_NODES = 2_000;

/** The span with one more time in it. */
export function widened(span: Span | undefined, unixNano: string): Span {
  if (span === undefined) return { first: unixNano, last: unixNano };
  return {
    ...span,
    first: compareUnixNano(unixNano, span.first) < 0 ? unixNano : span.first,
    last: compareUnixNano(unixNano, span.last) > 0 ? unixNano : span.last,
  };
}

/** The span with one more record in it, and its node, where the nodes of the others are known too. */
export function withRecord(
  span: Span | undefined,
  { unixNano, bytes }: Pick<StoredRecord, 'unixNano' | 'bytes'>,
): Span {
  const nodes = span === undefined ? new Set<string>() : span.nodes;
  const wide = widened(span, unixNano);
  if (nodes === undefined) return wide;
  const node = nodeOfRecord(bytes);
  const isNew = node !== undefined && !nodes.has(node) && nodes.size < MOST_NODES;
  return { ...wide, nodes: isNew ? new Set([...nodes, node]) : nodes };
}
