import type { Config } from '../config/config.ts';
import type { TraceReader } from './trace-reader.ts';

/** Destinations that traces can be read back from. */
export const readable = ['etcd', 'file', 'elasticsearch', 'opensearch'] as const;
export type Readable = (typeof readable)[number];

/** The first destination in WRITERS that traces can be read back from; undefined where there is none. */
export function defaultReadable({ writers }: Config): Readable | undefined {
  return readable.find((name) => name === writers.find((writer) => isReadable(writer)));
}

function isReadable(name: string): boolean {
  return readable.some((one) => one === name);
}

/**
 * Makes the reader of a destination; it connects to nothing yet. Only what it needs is loaded.
 *
 * @param options.livesOn it will be asked often, and may keep what makes it fast.
 */
export async function selectTraceReader(
  from: Readable,
  config: Config,
  { livesOn = false } = {},
): Promise<TraceReader> {
  if (from === 'file') {
    const { FileTraceReader } = await import('./file-trace-reader.ts');
    return new FileTraceReader(config.file.path, { livesOn });
  }
  if (from === 'elasticsearch' || from === 'opensearch') {
    const { SearchTraceReader } = await import('./search-trace-reader.ts');
    return new SearchTraceReader(from, config[from]);
  }
  const { EtcdTraceReader } = await import('./etcd-trace-reader.ts');
  return new EtcdTraceReader({ ...config.etcd, servers: config.etcdServers });
}
