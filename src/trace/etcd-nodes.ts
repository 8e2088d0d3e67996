import { EtcdFailure } from '../writers/etcd-errors.ts';
import { etcdRange } from '../writers/etcd-key.ts';
import { knownNodesPrefix, nodesPrefix, parseNodeReport } from '../writers/node-report.ts';
import type { EtcdPages } from './etcd-pages.ts';
import type { KnownNode, Nodes } from './known-node.ts';

/** What the agents tell of their nodes, at one revision: those that are heard and those that were. */
export async function etcdNodes(pages: EtcdPages, signal: AbortSignal): Promise<Nodes> {
  try {
    const revision = await pages.revision(signal);
    const known = await valuesUnder(pages, { prefix: knownNodesPrefix, revision }, signal);
    const heard = await valuesUnder(pages, { prefix: nodesPrefix, revision }, signal);
    const names = [...new Set([...known.keys(), ...heard.keys()])].toSorted();
    return { nodes: names.map((name) => toNode(name, heard.get(name), known.get(name))) };
  } catch (error) {
    if (!(error instanceof EtcdFailure) || error.remedy !== 'slowly') throw error;
    // The logs may be read all the same.
    const why = 'what the agents tell of their nodes cannot be read: a reader needs «read» on frostbeat/ too';
    return { nodes: [], trouble: `${why} (docs/etcd.md)` };
  }
}

function toNode(segment: string, heard: Buffer | undefined, known: Buffer | undefined): KnownNode {
  const report = parseNodeReport((heard ?? known ?? '').toString('utf8'));
  return { node: report?.node ?? segment, report, live: heard !== undefined };
}

async function valuesUnder(
  pages: EtcdPages,
  { prefix, revision }: { prefix: string; revision: string },
  signal: AbortSignal,
): Promise<Map<string, Buffer>> {
  const range = etcdRange(prefix);
  const found = new Map<string, Buffer>();
  for (let key: Buffer | undefined = range.key; key !== undefined;) {
    const page = await pages.entries({ ...range, key, revision }, signal);
    for (const entry of page.entries)
      found.set(entry.key.subarray(prefix.length).toString('utf8'), entry.value);
    key = page.next;
  }
  return found;
}
