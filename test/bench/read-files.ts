import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { startAgent } from './support/agent.ts';
import type { Benchmark, Context } from './support/context.ts';
import { type Container, fileWriterBytes, fillLogs, LINE_BYTES, makeContainers } from './support/lines.ts';
import { MeasuredProcess, type Usage } from './support/measured-process.ts';
import { median, type Row, spread } from './support/row.ts';

const FILES = 8;
const bareLoop = new URL('./bare/read-files.mjs', import.meta.url).pathname;

interface Job {
  readonly writer: 'file' | 'discard';
  readonly podLogDir: string;
  readonly containers: readonly Container[];
  readonly linesEach: number;
}

/** A backlog of 250 MB in 8 files: tail → decode → extract → write, per CPU second of the whole process. */
export const readFiles: Benchmark = async (context) => {
  const linesEach = context.smoke ? 1_000 : 62_500;
  const podLogDir = await context.newDirectory();
  const containers = makeContainers(podLogDir, FILES);
  fillLogs(containers, linesEach);
  const job = { podLogDir, containers, linesEach };
  return [
    await compare('backlog → file', { ...job, writer: 'file' }, context),
    await compare('backlog → discarded, without metadata', { ...job, writer: 'discard' }, context),
  ];
};

async function compare(name: string, job: Job, context: Context): Promise<Row> {
  const megabytes = (job.linesEach * FILES * LINE_BYTES) / 1e6;
  const rounds: { agent: Usage; bare: Usage; ratio: number }[] = [];
  for (let round = 0; round < context.rounds; round++) {
    const bare = await runBare(job, await context.newDirectory());
    const agent = await runAgent(job, await context.newDirectory());
    rounds.push({ agent, bare, ratio: bare.cpuSeconds / agent.cpuSeconds });
    context.say(
      `${name}: bare ${bare.cpuSeconds.toFixed(2)} s, agent ${agent.cpuSeconds.toFixed(2)} s of CPU`,
    );
  }
  const ratios = rounds.map(({ ratio }) => ratio);
  const rate = (of: 'agent' | 'bare'): string =>
    `${(megabytes / median(rounds.map((round) => round[of].cpuSeconds))).toFixed(0)} MB/CPU s`;
  return {
    benchmark: `${name} (${megabytes.toFixed(0)} MB, ${FILES} files)`,
    agent: rate('agent'),
    against: `bare loop: ${rate('bare')}`,
    result: median(ratios),
    unit: '',
    spread: spread(ratios),
    target: { atLeast: 0.8 },
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

async function runAgent(
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
