import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { startAgent } from './support/agent.ts';
import type { Benchmark, Context } from './support/context.ts';
import { type Container, fileWriterBytes, fillLogs, LINE_BYTES, makeContainers } from './support/lines.ts';
import { MeasuredProcess, type Usage } from './support/measured-process.ts';
import { median, type Row, spread } from './support/row.ts';

const FILES = 8;
const bareLoop = new URL('./bare/read-files.mjs', import.meta.url).pathname;

/** What is read, and what becomes of it. */
export interface Job {
  readonly writer: 'file' | 'discard';
  readonly podLogDir: string;
  readonly containers: readonly Container[];
  readonly linesEach: number;
}

/** The agent and another, over the same files. */
export interface Round {
  readonly agent: Usage;
  readonly other: Usage;
}

/** A backlog of 250 MB in 8 files: tail → decode → extract → write, per CPU second of the whole process. */
export const readFiles: Benchmark = async (context) => {
  const job = await makeBacklog(context);
  return [
    await compare('backlog → file', job, context),
    await compare('backlog → discarded, without metadata', { ...job, writer: 'discard' }, context),
  ];
};

/** Writes the files, whose records are to go to a file. */
export async function makeBacklog(context: Context): Promise<Job> {
  const linesEach = context.smoke ? 1_000 : 62_500;
  const podLogDir = await context.newDirectory();
  const containers = makeContainers(podLogDir, FILES);
  fillLogs(containers, linesEach);
  return { writer: 'file', podLogDir, containers, linesEach };
}

async function compare(name: string, job: Job, context: Context): Promise<Row> {
  const rounds: Round[] = [];
  for (let round = 0; round < context.rounds; round++) {
    const other = await runBare(job, await context.newDirectory());
    const agent = await runAgent(job, await context.newDirectory());
    rounds.push({ agent, other });
    context.say(
      `${name}: bare ${other.cpuSeconds.toFixed(2)} s, agent ${agent.cpuSeconds.toFixed(2)} s of CPU`,
    );
  }
  return toRow(name, job, rounds, { against: 'bare loop', atLeast: 0.8 });
}

/** What the agent does per CPU second, and how much more that is than what the other does. */
export function toRow(
  name: string,
  job: Job,
  rounds: readonly Round[],
  { against, atLeast }: { readonly against: string; readonly atLeast: number },
): Row {
  const megabytes = (job.linesEach * FILES * LINE_BYTES) / 1e6;
  const ratios = rounds.map(({ agent, other }) => other.cpuSeconds / agent.cpuSeconds);
  const rate = (of: keyof Round): string =>
    `${(megabytes / median(rounds.map((round) => round[of].cpuSeconds))).toFixed(0)} MB/CPU s`;
  return {
    benchmark: `${name} (${megabytes.toFixed(0)} MB, ${FILES} files)`,
    agent: rate('agent'),
    against: `${against}: ${rate('other')}`,
    result: median(ratios),
    unit: '',
    spread: spread(ratios),
    target: { atLeast },
    cpuSeconds: median(rounds.map(({ agent }) => agent.cpuSeconds)),
    peakBytes: median(rounds.map(({ agent }) => agent.peakBytes)),
    rounds,
  };
}

async function runBare({ writer, containers }: Job, directory: string): Promise<Usage> {
  const out = join(directory, 'records.ndjson');
  const bare = new MeasuredProcess({
    directory,
    args: [bareLoop, ...containers.map(({ path }) => path)],
    env: writer === 'file' ? { BENCH_OUT: out } : {},
  });
  const usage = await bare.ended();
  await rm(out, { force: true });
  return usage;
}

/** The agent over the backlog, from its start to its end. */
export async function runAgent(
  { writer, podLogDir, containers, linesEach }: Job,
  directory: string,
): Promise<Usage> {
  const metadata = writer === 'file';
  const agent = startAgent({
    directory,
    podLogDir,
    writer,
    env: { BENCH_EXPECT: String(containers.length * linesEach), KUBERNETES_METADATA: String(metadata) },
  });
  if (writer === 'discard') {
    await agent.discardedAll();
    return await agent.process.stop();
  }
  const bytes = fileWriterBytes(linesEach, containers, metadata);
  await agent.wrote(bytes);
  const usage = await agent.process.stop();
  const { size } = await stat(agent.output);
  if (size !== bytes) throw new Error(`Cannot compare: the agent wrote ${size} bytes and not ${bytes}`);
  await rm(agent.output);
  return usage;
}
