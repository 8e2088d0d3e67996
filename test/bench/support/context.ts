import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Row } from './row.ts';

/** What a benchmark is given. */
export interface Context {
  /** Only to see that it runs: the smallest sizes, and nothing about speed. */
  readonly smoke: boolean;
  readonly rounds: number;
  /** A new directory, removed at the end of the benchmark. */
  newDirectory(): Promise<string>;
  /** Tells what goes on. */
  say(text: string): void;
}

/** Measures some rows of the table. */
export type Benchmark = (context: Context) => Promise<readonly Row[]>;

/** Runs a benchmark in a temporary directory of its own. */
export async function runBenchmark(
  benchmark: Benchmark,
  { smoke, rounds, say }: Pick<Context, 'smoke' | 'rounds' | 'say'>,
): Promise<readonly Row[]> {
  const root = await mkdtemp(join(process.env['BENCH_DIR'] ?? tmpdir(), 'frostbeat-bench-'));
  let directories = 0;
  const newDirectory = async (): Promise<string> => {
    const directory = join(root, String(directories++));
    await mkdir(directory);
    return directory;
  };
  try {
    return await benchmark({ smoke, rounds, say, newDirectory });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
