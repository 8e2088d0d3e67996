import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startAgent } from './support/agent.ts';
import type { Benchmark, Context } from './support/context.ts';
import {
  type Container,
  fillLogs,
  makeContainers,
  recordWithMetadata,
  writeRecords,
} from './support/lines.ts';
import { MeasuredProcess, type Usage } from './support/measured-process.ts';
import { median, type Row, spread } from './support/row.ts';
import { type BenchServer, type Place, type ServerName, startBenchServer } from './writer-servers.ts';

const FILES = 8;
const LIMIT_MS = 120_000;
const recordBytes = Buffer.byteLength(recordWithMetadata(0));

interface Run extends Usage {
  readonly linesPerSecond: number;
}

interface Job {
  readonly name: ServerName;
  readonly server: BenchServer;
  /** Records a request, and requests that are counted. */
  readonly size: number;
  readonly requests: number;
  /** A file of records. */
  readonly values: string;
}

/** A backlog into the real server of a writer, which shares the machine's cores; lines a second at the server. */
export function writeServer(name: ServerName): Benchmark {
  return async (context) => {
    await using server = await startBenchServer(name);
    const { bytes, records } = server.batch;
    const size = Math.min(records, Math.floor(bytes / recordBytes));
    const requests = context.smoke ? 3 : server.requests;
    const values = join(await context.newDirectory(), 'values');
    writeRecords(values);
    return await compare({ name, server, size, requests, values }, context);
  };
}

interface Round {
  readonly agent: Run;
  readonly bare: Run;
  readonly ratio: number;
}

async function compare(job: Job, context: Context): Promise<Row[]> {
  const { alike } = job.server;
  const rounds: Round[] = [];
  const alikes: Round[] = [];
  // The first is for the server to grow warm: Java compiles what is used often.
  for (let round = context.smoke ? 1 : 0; round <= context.rounds; round++) {
    const bare = await runBare(job, await job.server.place(`bare-${round}`), context);
    const agent = await runAgent(job, await job.server.place(`agent-${round}`), context);
    const other =
      alike && (await runBare(job, await job.server.place(`alike-${round}`), context, alike.bare));
    const rates = [bare, agent, ...(other ? [other] : [])].map(({ linesPerSecond }) =>
      linesPerSecond.toFixed(0),
    );
    context.say(
      `${job.name}: ${rates.join(', ')} lines/s (bare, agent${alike ? `, bare with ${alike.what}` : ''})${round === 0 ? ' (not counted)' : ''}`,
    );
    if (round === 0) continue;
    rounds.push({ agent, bare, ratio: agent.linesPerSecond / bare.linesPerSecond });
    if (other) alikes.push({ agent, bare: other, ratio: agent.linesPerSecond / other.linesPerSecond });
  }
  const { name, server, size, requests } = job;
  const benchmark = `backlog → ${name}, ${size} a request, ${server.inFlight} at once (${size * requests} lines)`;
  const row = toRow(benchmark, rounds, { atLeast: 0.9 });
  return alike ? [row, toRow(`the same, ${alike.what}`, alikes, undefined)] : [row];
}

function toRow(benchmark: string, rounds: readonly Round[], target: Row['target']): Row {
  const ratios = rounds.map(({ ratio }) => ratio);
  const of = (who: 'agent' | 'bare', what: keyof Run): number =>
    median(rounds.map((round) => round[who][what]));
  return {
    benchmark,
    agent: `${of('agent', 'linesPerSecond').toFixed(0)} lines/s`,
    against: `bare client: ${of('bare', 'linesPerSecond').toFixed(0)} lines/s, ${of('bare', 'cpuSeconds').toFixed(2)} s of CPU`,
    result: median(ratios),
    unit: '',
    spread: spread(ratios),
    target,
    cpuSeconds: of('agent', 'cpuSeconds'),
    peakBytes: of('agent', 'peakBytes'),
    rounds,
  };
}

async function runBare(
  { server, size, requests, values }: Job,
  place: Place,
  context: Context,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Run> {
  const { inFlight } = server;
  const settings = { records: size * requests, size, inFlight, values, ...place.bare, ...more };
  const bare = new MeasuredProcess({
    directory: await context.newDirectory(),
    args: [new URL(`./bare/${server.script}`, import.meta.url).pathname, JSON.stringify(settings)],
    env: place.bareEnv ?? {},
  });
  const linesPerSecond = await rateOfArrival(place, { server, size, requests, writer: bare });
  return { linesPerSecond, ...(await bare.ended()) };
}

async function runAgent({ server, size, requests }: Job, place: Place, context: Context): Promise<Run> {
  const podLogDir = await context.newDirectory();
  const containers: Container[] = makeContainers(podLogDir, FILES);
  // One record more closes the last request; what is left waits, and is not counted.
  fillLogs(containers, Math.floor((size * requests) / FILES) + 1);
  const agent = startAgent({
    directory: await context.newDirectory(),
    podLogDir,
    writer: 'etcd',
    env: { MAX_IN_FLIGHT: '4', BATCH_SIZE: '1', BATCH_PERIOD: '1h', ...place.agent },
  });
  const linesPerSecond = await rateOfArrival(place, { server, size, requests, writer: agent.process });
  return { linesPerSecond, ...(await agent.process.stop()) };
}

/** From the first request that is there to the last, as seen at the server. */
async function rateOfArrival(
  place: Place,
  { server, size, requests, writer }: Pick<Job, 'server' | 'size' | 'requests'> & { writer: MeasuredProcess },
): Promise<number> {
  const linesEach = server.objects ? size : 1;
  const last = server.objects ? requests : size * requests;
  const limit = AbortSignal.timeout(LIMIT_MS);
  let begun: { at: number; count: number } | undefined;
  for (;;) {
    writer.assertNoFailure();
    if (limit.aborted) throw new Error(`Cannot measure: not all came in ${LIMIT_MS} ms. ${writer.said}`);
    const now = { at: performance.now(), count: await place.progress() };
    if (begun === undefined && now.count > 0) begun = now;
    if (begun !== undefined && now.count >= last)
      return ((now.count - begun.count) * linesEach) / ((now.at - begun.at) / 1_000);
    await sleep(10);
  }
}
