import type { Config } from '../config/config.ts';
import type { Log } from '../ops/log.ts';
import { ConfigError } from '../util/config-error.ts';
import type { LogWriter } from './log-writer.ts';

export interface SelectContext {
  readonly config: Config;
  /** The writer gets a child of it. */
  readonly log: Log;
  /** What a module's relative path is relative to; absolute. Default: the working directory. */
  readonly cwd?: string;
}

/** A writer's module is loaded when the writer is named, so that nobody pays for what he does not use. */
const builtIn: Readonly<Record<string, (config: Config, log: Log) => Promise<LogWriter>>> = {
  etcd: async ({ etcd, etcdServers, ttlMs }, log) => {
    const { EtcdWriter } = await import('./etcd-writer.ts');
    return new EtcdWriter({ ...etcd, servers: etcdServers, ttlMs, log });
  },
  file: async ({ file, nodeName }, log) => {
    const { FileWriter } = await import('./file-writer.ts');
    return new FileWriter({ ...file, node: nodeName, log });
  },
  s3: async ({ s3 }) => {
    const [{ ObjectWriter }, { S3Store }] = await Promise.all([
      import('./object-writer.ts'),
      import('./s3-store.ts'),
    ]);
    return new ObjectWriter({ ...s3, name: 's3', store: new S3Store(s3) });
  },
  gcs: async ({ gcs }) => {
    const [{ ObjectWriter }, { GcsStore }] = await Promise.all([
      import('./object-writer.ts'),
      import('./gcs-store.ts'),
    ]);
    return new ObjectWriter({ ...gcs, name: 'gcs', store: new GcsStore(gcs) });
  },
  stdout: async () => {
    const { StdoutWriter } = await import('./stdout-writer.ts');
    return new StdoutWriter();
  },
  elasticsearch: async (config, log) => await makeSearchWriter('elasticsearch', config, log),
  opensearch: async (config, log) => await makeSearchWriter('opensearch', config, log),
  kafka: async ({ kafka, kubernetesMetadata }) => {
    const { KafkaWriter } = await import('./kafka-writer.ts');
    return new KafkaWriter({ access: kafka, kubernetes: kubernetesMetadata });
  },
};

async function makeSearchWriter(
  product: 'elasticsearch' | 'opensearch',
  config: Config,
  log: Log,
): Promise<LogWriter> {
  const { SearchWriter } = await import('./search-writer.ts');
  return new SearchWriter({ product, access: config[product], kubernetes: config.kubernetesMetadata, log });
}

/** The names that `selectWriter` knows by itself. */
export const builtInNames: readonly string[] = Object.keys(builtIn);

/**
 * Makes the writers of WRITERS, in its order; none is open yet.
 *
 * @throws ConfigError with all that is wrong with any of them, also where two have the same name.
 */
export async function selectWriters(context: SelectContext): Promise<readonly LogWriter[]> {
  const names = context.config.writers;
  const made = await Promise.allSettled(names.map(async (name) => await selectWriter(name, context)));
  const mistakes: string[] = [];
  const writers = new Map<string, { readonly writer: LogWriter; readonly listedAs: string }>();
  for (const [index, result] of made.entries()) {
    const listedAs = names[index] ?? '';
    if (result.status === 'rejected') {
      if (!(result.reason instanceof ConfigError)) throw result.reason;
      mistakes.push(...result.reason.mistakes);
      continue;
    }
    const { name } = result.value;
    const twin = writers.get(name);
    if (twin === undefined) writers.set(name, { writer: result.value, listedAs });
    else {
      mistakes.push(
        `WRITERS (--writers) names "${twin.listedAs}" and "${listedAs}": both call themselves "${name}", and names must differ`,
      );
    }
  }
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return [...writers.values()].map(({ writer }) => writer);
}

/**
 * Makes the writer of a name in WRITERS; it is not open yet.
 *
 * @param name of a writer that comes with Frostbeat, else a module's path or a package's name.
 * @throws ConfigError where a module is not there, cannot be loaded or gives no LogWriter.
 */
async function selectWriter(name: string, { config, log, cwd }: SelectContext): Promise<LogWriter> {
  const logger = log.child({ writer: name });
  const make = Object.hasOwn(builtIn, name) ? builtIn[name] : undefined;
  if (make !== undefined) return await make(config, logger);
  const { loadCustomWriter } = await import('./custom-writer.ts');
  return await loadCustomWriter(name, { options: config.writerOptions, logger, cwd: cwd ?? process.cwd() });
}
