import type { Config } from '../config/config.ts';
import { nodesElsewhere } from './nodes-elsewhere.ts';
import type { TraceReader } from './trace-reader.ts';

/** Destinations that traces can be read back from. */
export const readable = ['etcd', 'file', 'elasticsearch', 'opensearch', 'kafka', 's3', 'gcs'] as const;
export type Readable = (typeof readable)[number];

/** Those of which it is known soon what was stored since: objects can only be gone through. */
export const followable = [
  'etcd',
  'file',
  'elasticsearch',
  'opensearch',
  'kafka',
] as const satisfies readonly Readable[];

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
  const nodes = nodesElsewhere(from, config, (store) => selectTraceReader(store, config));
  if (from === 'file') {
    const { FileTraceReader } = await import('./file-trace-reader.ts');
    return new FileTraceReader(config.file.path, { livesOn });
  }
  if (from === 'elasticsearch' || from === 'opensearch') {
    const { SearchTraceReader } = await import('./search-trace-reader.ts');
    return new SearchTraceReader(from, config[from], nodes);
  }
  if (from === 's3' || from === 'gcs') {
    const [{ ObjectTraceReader }, { selectObjectStore }] = await Promise.all([
      import('./object-trace-reader.ts'),
      import('../writers/select-object-store.ts'),
    ]);
    return new ObjectTraceReader(await selectObjectStore(from, config), config[from].prefix);
  }
  if (from === 'kafka') {
    const { KafkaTraceReader } = await import('./kafka-trace-reader.ts');
    return new KafkaTraceReader(config.kafka, nodes);
  }
  const { EtcdTraceReader } = await import('./etcd-trace-reader.ts');
  return new EtcdTraceReader({ ...config.etcd, servers: config.etcdServers });
}
