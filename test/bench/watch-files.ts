import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AgentSetting, startAgent } from './support/agent.ts';
import { appendLines } from './support/appender.ts';
import type { Benchmark, Context } from './support/context.ts';
import { type Container, fileWriterBytes, fillLogs, makeContainers } from './support/lines.ts';
import { MeasuredProcess, type Usage } from './support/measured-process.ts';
import { median, type Row, spread } from './support/row.ts';

const RATE = 10_000;
/**
 * Lines come for so long before growth is measured, in seconds: V8 compiles what has run often enough, over one file
 * at once and over many only by and by, and an agent runs for months.
 */
const WARM_SECONDS = 10;
/** Every line is read by then. */
const SEEN_MS = 2_000;
const bareLoop = new URL('./bare/read-files.mjs', import.meta.url).pathname;

interface Watched extends Usage {
  /** CPU time from the first append to the last record, in seconds. */
  readonly busySeconds: number;
  readonly seconds: number;
  readonly lines: number;
}

/** 100 files, each with 100 appends a second: what it costs beyond parsing and writing the same lines. */
export const watching: Benchmark = async (context) => {
  const rounds: (Watched & { bareSeconds: number; percent: number })[] = [];
  for (let round = 0; round < Math.min(context.rounds, 3); round++) {
    const { watched, containers } = await watch(100, 'file', context);
    const bareSeconds = (await bare(containers, context)) - (await bare([], context));
    const percent = ((watched.busySeconds - bareSeconds) / watched.seconds) * 100;
    rounds.push({ ...watched, bareSeconds, percent });
    context.say(
      `watching: ${watched.busySeconds.toFixed(2)} s of CPU, bare ${bareSeconds.toFixed(2)} s, in ${watched.seconds.toFixed(1)} s`,
    );
  }
  const percents = rounds.map(({ percent }) => percent);
  const share = (of: (round: (typeof rounds)[number]) => number): string =>
    `${(median(rounds.map((round) => of(round) / round.seconds)) * 100).toFixed(1)} % of a core`;
  return [
    {
      benchmark: 'watching: 100 files, 100 appends/s each, file writer',
      agent: share(({ busySeconds }) => busySeconds),
      against: `bare loop over the same lines: ${share(({ bareSeconds }) => bareSeconds)}`,
      result: median(percents),
      unit: ' % of a core',
      spread: spread(percents),
      target: { atMost: 5 },
      cpuSeconds: median(rounds.map(({ cpuSeconds }) => cpuSeconds)),
      peakBytes: median(rounds.map(({ peakBytes }) => peakBytes)),
      rounds,
    },
  ];
};

/** The same lines a second over more and more files. */
export const growth: Benchmark = async (context) => {
  const counts = context.smoke ? [1, 20] : [1, 10, 100, 500];
  const rounds: Watched[][] = [];
  for (let round = 0; round < Math.min(context.rounds, 3); round++) {
    const results: Watched[] = [];
    for (const count of counts) {
      const warmSeconds = context.smoke ? 0 : WARM_SECONDS;
      const { watched } = await watch(count, 'discard', context, warmSeconds);
      results.push(watched);
      context.say(`${count} files: ${(watched.lines / watched.busySeconds).toFixed(0)} lines per CPU second`);
    }
    rounds.push(results);
  }
  const rate = ({ lines, busySeconds }: Watched): number => lines / busySeconds;
  return counts.slice(1).map((count, index): Row => {
    const results = rounds.map((round) => round[index + 1]!);
    const ratios = rounds.map((round) => rate(round[index + 1]!) / rate(round[0]!));
    return {
      benchmark: `${RATE} lines/s in single appends over ${count} files, discarded`,
      agent: `${median(results.map(rate)).toFixed(0)} lines/CPU s`,
      against: `1 file: ${median(rounds.map(([one]) => rate(one!))).toFixed(0)} lines/CPU s`,
      result: median(ratios),
      unit: '',
      spread: spread(ratios),
      target: { atLeast: 0.8 },
      cpuSeconds: median(results.map(({ cpuSeconds }) => cpuSeconds)),
      peakBytes: median(results.map(({ peakBytes }) => peakBytes)),
      rounds: results,
    };
  });
};

async function watch(
  files: number,
  writer: 'file' | 'discard',
  context: Context,
  warmSeconds = 0,
): Promise<{ watched: Watched; containers: readonly Container[] }> {
  const podLogDir = await context.newDirectory();
  const directory = await context.newDirectory();
  const containers = makeContainers(podLogDir, files);
  fillLogs(containers, 1);
  const seconds = context.smoke ? 1 : 15;
  const lines = RATE * (warmSeconds + seconds);
  const setting: AgentSetting = { directory, podLogDir, writer };
  const agent = startAgent({
    ...setting,
    env: { BATCH_PERIOD: '1s', BENCH_EXPECT: String(lines + files), KUBERNETES_METADATA: 'true' },
  });
  // Long enough to have found and opened every file, and to be done with what a start takes.
  await sleep(context.smoke ? 1_000 : 10_000);
  if (warmSeconds > 0) {
    await appendLines(containers, { linesPerSecond: RATE, seconds: warmSeconds, directory });
    await sleep(SEEN_MS);
  }
  const begin = { cpu: agent.process.cpuSeconds, at: performance.now() };
  const { written } = await appendLines(containers, { linesPerSecond: RATE, seconds, directory });
  if (writer === 'file') {
    await agent.wrote(fileWriterBytes(1 + written / files, containers, true));
  } else {
    await agent.discardedAll();
  }
  const busySeconds = agent.process.cpuSeconds - begin.cpu;
  const took = (performance.now() - begin.at) / 1_000;
  const usage = await agent.process.stop();
  await rm(agent.output, { force: true });
  return { watched: { ...usage, busySeconds, seconds: took, lines: written }, containers };
}

async function bare(containers: readonly Container[], context: Context): Promise<number> {
  const directory = await context.newDirectory();
  const out = `${directory}/records.ndjson`;
  const args = [bareLoop, ...containers.map(({ path }) => path)];
  const usage = await new MeasuredProcess({ directory, args, env: { BENCH_OUT: out } }).ended();
  await rm(out, { force: true });
  return usage.cpuSeconds;
}
