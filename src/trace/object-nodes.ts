import { decodeNodeObject } from '../writers/object-node-reports.ts';
import { nodeObjectsPrefix } from '../writers/node-report.ts';
import type { ObjectStore } from '../writers/object-store.ts';
import { inParallel } from './in-parallel.ts';
import { isHeard } from './is-heard.ts';
import type { KnownNode, Nodes } from './known-node.ts';

const AT_ONCE = 8;
const SUFFIX = '.json.gz';

/** What the agents tell of their nodes in a bucket. @param prefix what the names of objects begin with. */
export async function objectNodes(
  { store, prefix }: { store: ObjectStore; prefix: string },
  signal: AbortSignal,
): Promise<Nodes> {
  const begin = nodeObjectsPrefix(prefix);
  const names = (await Array.fromAsync(store.list(begin, signal))).filter((name) => name.endsWith(SUFFIX));
  const nodes = await inParallel(names, AT_ONCE, async (name): Promise<KnownNode> => {
    // One that is forgotten meanwhile, or may not be read, is no good news.
    const bytes = await store.find(name, signal);
    const report = bytes && decodeNodeObject(bytes);
    const live = report !== undefined && isHeard(report, Date.now());
    return { node: report?.node ?? name.slice(begin.length, -SUFFIX.length), report, live };
  });
  return { nodes };
}
