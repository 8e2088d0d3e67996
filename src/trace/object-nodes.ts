import { decodePercent } from '../util/decode-percent.ts';
import { decodeNodeObject } from '../writers/object-node-reports.ts';
import { type NodeReport, nodeObjectsPrefix } from '../writers/node-report.ts';
import type { ObjectStore } from '../writers/object-store.ts';
import { inParallel } from './in-parallel.ts';
import { isHeard } from './is-heard.ts';
import type { KnownNode, Nodes } from './known-node.ts';

const AT_ONCE = 8;
const SUFFIX = '.json.gz';

/**
 * What the agents tell of their nodes in a bucket. A report that cannot be read is as good as none, and where they
 * cannot be listed nothing is known: the records may be read all the same.
 *
 * @param prefix what the names of objects begin with.
 * @throws the signal's reason.
 */
export async function objectNodes(
  { store, prefix }: { store: ObjectStore; prefix: string },
  signal: AbortSignal,
): Promise<Nodes> {
  const begin = nodeObjectsPrefix(prefix);
  let names: string[];
  try {
    names = await Array.fromAsync(store.list(begin, signal));
  } catch (error) {
    signal.throwIfAborted();
    return { nodes: [], trouble: `what the nodes tell cannot be listed: ${(error as Error).message}` };
  }
  const told = names.filter((name) => name.endsWith(SUFFIX));
  const nodes = await inParallel(told, AT_ONCE, async (name): Promise<KnownNode> => {
    const report = await reportIn(store, name, signal);
    const live = report !== undefined && isHeard(report, Date.now());
    return { node: report?.node ?? decodePercent(name.slice(begin.length, -SUFFIX.length)), report, live };
  });
  return { nodes };
}

/** One that is forgotten meanwhile, or cannot be read (archived, refused, of a later version), is no good news. */
async function reportIn(
  store: ObjectStore,
  name: string,
  signal: AbortSignal,
): Promise<NodeReport | undefined> {
  try {
    const bytes = await store.find(name, signal);
    return bytes && decodeNodeObject(bytes);
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
