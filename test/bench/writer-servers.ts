import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Consumer } from '@platformatic/kafka';
import { objectSettings } from '../../src/config/object-settings.ts';
import { indexTemplate } from '../../src/writers/search-template.ts';
import { startElasticsearch } from '../support/servers/elasticsearch.ts';
import { startGcs } from '../support/servers/gcs.ts';
import { startKafka } from '../support/servers/kafka.ts';
import { startOpenSearch } from '../support/servers/opensearch.ts';
import type { TestServer } from '../support/servers/server-process.ts';
import { startS3 } from '../support/servers/s3.ts';

export const serverNames = ['kafka', 'opensearch', 'elasticsearch', 's3', 'gcs'] as const;
export type ServerName = (typeof serverNames)[number];

/** Where one run writes to. */
export interface Place {
  /** The agent's settings. */
  readonly agent: Readonly<Record<string, string>>;
  /** The bare loop's arguments, and its environment. */
  readonly bare: Readonly<Record<string, unknown>>;
  readonly bareEnv?: Readonly<Record<string, string>>;
  /** How much is there: records, or objects. */
  progress(): Promise<number>;
}

/** A real server that runs write to, each to a place of its own. */
export interface BenchServer extends AsyncDisposable {
  /** In `test/bench/bare`. */
  readonly script: string;
  /** What the writer asks for. */
  readonly batch: { readonly bytes: number; readonly records: number };
  /** Requests that are counted: for some seconds at least, else it is the warming up of V8 that is measured. */
  readonly requests: number;
  /** Requests that are under way at once. */
  readonly inFlight: number;
  /** Whether progress is told in objects. */
  readonly objects: boolean;
  /** Arguments of one more bare loop, and what it is: to be seen beside the other. */
  readonly alike?: { readonly what: string; readonly bare: Readonly<Record<string, unknown>> };
  place(run: string): Promise<Place>;
}

/** Starts the server of a writer; without Java or Go it says what is missing. */
export async function startBenchServer(name: ServerName): Promise<BenchServer> {
  if (name === 'kafka') return await kafka();
  if (name === 's3' || name === 'gcs') return await objects(name);
  return await search(name);
}

async function kafka(): Promise<BenchServer> {
  const server = await startKafka();
  const consumer = new Consumer({ clientId: 'bench', groupId: 'bench', bootstrapBrokers: [server.broker] });
  return {
    script: 'write-kafka.mjs',
    batch: { bytes: 524_288, records: 2_000 },
    requests: 600,
    inFlight: 1,
    objects: false,
    async place(topic) {
      await server.createTopic(topic, { partitions: 4 });
      return {
        agent: { WRITERS: 'kafka', KAFKA_BROKERS: server.broker, KAFKA_TOPIC: topic },
        bare: { broker: server.broker, topic },
        async progress() {
          const ends = (await consumer.listOffsets({ topics: [topic], timestamp: -1n })).get(topic) ?? [];
          return Number(ends.reduce((sum, end) => sum + end, 0n));
        },
      };
    },
    async [Symbol.asyncDispose]() {
      await consumer.close(true);
      await server[Symbol.asyncDispose]();
    },
  };
}

async function search(product: 'opensearch' | 'elasticsearch'): Promise<BenchServer> {
  const server = await (product === 'opensearch' ? startOpenSearch() : startElasticsearch());
  const ask = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${server.url}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!response.ok && response.status !== 404) throw new Error(`Cannot measure: ${await response.text()}`);
    return await response.json();
  };
  // The same for both.
  await ask('PUT', '/_index_template/bench', indexTemplate('bench-{date}', 'record'));
  const prefix = product.toUpperCase();
  return {
    script: 'write-search.mjs',
    batch: { bytes: 1_048_576, records: 2_000 },
    requests: 120,
    inFlight: 4,
    objects: false,
    async place(run) {
      const index = `bench-${run}`;
      await ask('PUT', `/${index}-2026.11.23`);
      return {
        agent: {
          WRITERS: product,
          [`${prefix}_SERVERS`]: server.url,
          [`${prefix}_INDEX`]: `${index}-{date}`,
          [`${prefix}_TEMPLATE`]: 'none',
        },
        bare: { product, url: server.url, index: `${index}-2026.11.23` },
        async progress() {
          const path = `/${index}-2026.11.23/_stats/indexing?filter_path=_all.primaries.indexing.index_total`;
          const total = /"index_total":(\d+)/.exec(JSON.stringify(await ask('GET', path)))?.[1];
          return Number(total ?? 0);
        },
      };
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** The agent's own; the same for both buckets. */
const GZIP_LEVEL = Number(objectSettings.s3GzipLevel.default);

interface Bucket {
  readonly server: TestServer;
  readonly endpoint: string;
  /** Credentials and how the server is spoken to. */
  readonly secrets: Readonly<Record<string, string>>;
}

async function s3(): Promise<Bucket> {
  const server = await startS3();
  await server.makeBucket('bench');
  const { endpoint, region, accessKeyId, secretAccessKey } = server;
  const keys = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  return { server, endpoint, secrets: { ...keys, S3_REGION: region, S3_PATH_STYLE: 'true' } };
}

async function gcs(): Promise<Bucket> {
  const server = await startGcs(['bench']);
  return { server, endpoint: server.endpoint, secrets: {} };
}

async function objects(name: 's3' | 'gcs'): Promise<BenchServer> {
  const { server, endpoint, secrets } = await (name === 's3' ? s3() : gcs());
  const directory = join(server.directory, 'buckets', 'bench');
  const prefix = name.toUpperCase();
  return {
    script: 'write-objects.mjs',
    batch: { bytes: 8 * 2 ** 20, records: 1_000_000 },
    requests: 100,
    inFlight: 4,
    objects: true,
    // The first bare loop compresses as zlib does by itself, the agent less: what that alone gains is no merit.
    alike: { what: `gzip level ${GZIP_LEVEL} in both`, bare: { level: GZIP_LEVEL } },
    place: (run) =>
      Promise.resolve({
        agent: {
          WRITERS: name,
          [`${prefix}_BUCKET`]: 'bench',
          [`${prefix}_ENDPOINT`]: endpoint,
          [`${prefix}_PREFIX`]: `${run}/`,
          [`${prefix}_OBJECT_AGE`]: '1h',
          ...secrets,
        },
        bare: { store: name, endpoint, bucket: 'bench', prefix: `${run}/` },
        bareEnv: secrets,
        progress: () => {
          const paths = readdirSync(directory, { recursive: true }).map(String);
          const ours = paths.filter((path) => path.startsWith(run) && path.endsWith('.ndjson.gz'));
          return Promise.resolve(ours.length);
        },
      }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
