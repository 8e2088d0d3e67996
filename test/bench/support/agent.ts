import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../support/until.ts';
import { MeasuredProcess } from './measured-process.ts';

const main = new URL('../../../dist/main.js', import.meta.url).pathname;
const discard = new URL('./discard.mjs', import.meta.url).pathname;
const LIMIT_MS = 300_000;

export interface BenchAgent {
  readonly process: MeasuredProcess;
  /** What FILE_PATH is. */
  readonly output: string;
  /** Resolves when the writer that discards has had all records of BENCH_EXPECT. */
  discardedAll(): Promise<void>;
  /** Resolves when the file writer's output has so many bytes. */
  wrote(bytes: number): Promise<void>;
}

export interface AgentSetting {
  /** A new directory of this run's own. */
  readonly directory: string;
  readonly podLogDir: string;
  readonly writer: 'file' | 'discard' | 'etcd';
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the built agent. */
export function startAgent({ directory, podLogDir, writer, env = {} }: AgentSetting): BenchAgent {
  const output = join(directory, 'records.ndjson');
  const done = join(directory, 'done');
  mkdirSync(join(directory, 'state'), { recursive: true });
  const process = new MeasuredProcess({
    directory,
    args: [main, 'agent'],
    env: {
      POD_SOURCE: 'directory',
      NAMESPACE: '*',
      POD_LOG_DIR: podLogDir,
      STATE_DIR: join(directory, 'state'),
      WRITERS: writer === 'discard' ? discard : writer,
      FILE_PATH: output,
      HTTP_PORT: '0', // a scrape would be somebody else's cost
      BENCH_DONE: done,
      ...env,
    },
  });
  const wait = async (condition: () => boolean, what: string): Promise<void> => {
    await until(() => (process.assertNoFailure(), condition()), { timeoutMs: LIMIT_MS, what });
  };
  return {
    process,
    output,
    discardedAll: () => wait(() => existsSync(done), 'all records at the writer'),
    wrote: (bytes) =>
      wait(
        () => (statSync(output, { throwIfNoEntry: false })?.size ?? 0) >= bytes,
        'all records in the file',
      ),
  };
}
