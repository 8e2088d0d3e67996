import type { Nodes } from './known-node.ts';
import type { TraceReader } from './trace-reader.ts';

/** What the nodes told, and a mark at which the records are to be read. */
export interface Reading {
  readonly nodes: Nodes;
  readonly mark: string;
}

/**
 * Begins a reading that a state is to be told of. The order is what makes it exact: what was stored before a
 * watermark was told is behind neither the one nor the other. The other way round, a line that is stored between the
 * two would be missing in what was read, and before the watermark.
 */
export async function beginReading(
  reader: Pick<TraceReader, 'nodes' | 'now'>,
  signal: AbortSignal,
): Promise<Reading> {
  const nodes = await reader.nodes(signal);
  const mark = await reader.now(signal);
  return { nodes, mark };
}
