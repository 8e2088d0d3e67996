import type { Config } from '../config/config.ts';
import type { Nodes } from './known-node.ts';
import type { TraceReader } from './trace-reader.ts';

/** The stores that agents tell how far they are. */
export const telling = ['etcd', 'file', 's3', 'gcs'] as const;
export type Telling = (typeof telling)[number];

/** What the agents tell of their nodes, for a store that they do not tell. */
export interface NodesElsewhere {
  nodes(signal: AbortSignal): Promise<Nodes>;
  close(): Promise<void>;
}

/** Which of WRITERS is told how far the agents are; undefined where none is. */
export function tellingStore({ writers }: Config): Telling | undefined {
  return telling.find((name) => writers.includes(name));
}

/**
 * What agents that write to several stores tell one of them holds of the others too: a watermark is of what all of
 * them have.
 *
 * @param of the store whose records it is for.
 * @param open makes the reader of the store that is told; it connects to nothing yet.
 */
export function nodesElsewhere(
  of: string,
  config: Config,
  open: (store: Telling) => Promise<TraceReader>,
): NodesElsewhere {
  const store = tellingStore(config);
  let reader: Promise<TraceReader> | undefined;
  return {
    async nodes(signal) {
      signal.throwIfAborted();
      if (store === undefined) return nobodyTells(of);
      reader ??= open(store);
      let found: Nodes;
      try {
        found = await (await reader).nodes(signal);
      } catch (error) {
        if (signal.aborted) throw error;
        // The records may be read all the same.
        return { nodes: [], trouble: `${store} cannot be asked for the nodes: ${(error as Error).message}` };
      }
      // Of an agent that writes elsewhere, or does not say where, the watermark says nothing here.
      const other = found.nodes.find(
        ({ report }) => report?.forgotten === undefined && report?.writers?.includes(of) !== true,
      );
      if (other === undefined) return found;
      return { nodes: [], trouble: `${other.node} does not tell that it writes to ${of}` };
    },
    async close() {
      await (await reader)?.close();
    },
  };
}

function nobodyTells(of: string): Nodes {
  const why = `agents tell how far they are only where they write to etcd, a file or a bucket, too (WRITERS=etcd,${of})`;
  return { nodes: [], trouble: why };
}
