import type { KnownNode, Nodes } from './known-node.ts';

/**
 * Adds the nodes whose records are there and that tell nothing: nobody knows what they still hold. Where no node tells
 * anything, nothing is known as it is.
 *
 * @param seen by name. Records without a node's name may be of any that tells, but of one whose own were seen.
 */
export function withNodesSeen(nodes: Nodes, seen: ReadonlySet<string>): Nodes {
  if (nodes.nodes.length === 0 || seen.size === 0) return nodes;
  const told = new Set(nodes.nodes.map(({ node }) => node));
  // An agent without NODE_NAME tells of itself by the name of its host.
  if ([...told].some((node) => !seen.has(node))) told.add('');
  const untold = [...seen]
    .filter((node) => !told.has(node))
    .map((node): KnownNode => ({
      node: node || 'a node without a name',
      report: undefined,
      live: false,
      untold: true,
    }));
  return { ...nodes, nodes: [...nodes.nodes, ...untold] };
}
