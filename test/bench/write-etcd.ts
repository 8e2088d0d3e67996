import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Etcd3 } from 'etcd3';
import { startEtcd } from '../support/etcd.ts';
import { startAgent } from './support/agent.ts';
import type { Benchmark, Context } from './support/context.ts';
import { fillLogs, makeContainers, writeRecords } from './support/lines.ts';
import { MeasuredProcess, type Usage } from './support/measured-process.ts';
import { median, type Row, spread } from './support/row.ts';

const FILES = 8;
const IN_FLIGHT = 4;
const bareLoop = new URL('./bare/write-etcd.mjs', import.meta.url).pathname;

interface Run extends Usage {
  readonly linesPerSecond: number;
}

/** A backlog into a real etcd server, which shares the machine's cores; lines a second at the server. */
export const writeEtcd: Benchmark = async (context) => [
  await compare(128, context),
  await compare(20, context),
];

async function compare(batchSize: number, context: Context): Promise<Row> {
  // A multiple of both sizes: no batch has to wait for its period. Some seconds of it, else it is the warming up of V8.
  const records = 2_560 * (context.smoke ? 1 : 100);
  const rounds: { agent: Run; bare: Run; ratio: number }[] = [];
  for (let round = 0; round < context.rounds; round++) {
    const bare = await runBare(records, batchSize, context);
    const agent = await runAgent(records, batchSize, context);
    rounds.push({ agent, bare, ratio: agent.linesPerSecond / bare.linesPerSecond });
    context.say(
      `etcd, ${batchSize} a batch: bare ${bare.linesPerSecond.toFixed(0)}, agent ${agent.linesPerSecond.toFixed(0)} lines/s`,
    );
  }
  const ratios = rounds.map(({ ratio }) => ratio);
  const of = (who: 'agent' | 'bare', what: keyof Run): number =>
    median(rounds.map((round) => round[who][what]));
  return {
    benchmark: `backlog → etcd, BATCH_SIZE=${batchSize} (${records} lines)`,
    agent: `${of('agent', 'linesPerSecond').toFixed(0)} lines/s`,
    against: `bare etcd3: ${of('bare', 'linesPerSecond').toFixed(0)} lines/s, ${of('bare', 'cpuSeconds').toFixed(2)} s of CPU`,
    result: median(ratios),
    unit: '',
    spread: spread(ratios),
    target: { atLeast: 0.95 },
    cpuSeconds: of('agent', 'cpuSeconds'),
    peakBytes: of('agent', 'peakBytes'),
    rounds,
  };
}

async function runBare(records: number, batchSize: number, context: Context): Promise<Run> {
  await using etcd = await startEtcd();
  const directory = await context.newDirectory();
  const source = join(directory, 'records');
  writeRecords(source);
  const bare = new MeasuredProcess({
    directory,
    args: [bareLoop, etcd.url, ...[records, FILES, batchSize, IN_FLIGHT].map(String), source],
  });
  const linesPerSecond = await rateOfArrival(etcd.client, records, batchSize, bare);
  return { linesPerSecond, ...(await bare.ended()) };
}

async function runAgent(records: number, batchSize: number, context: Context): Promise<Run> {
  await using etcd = await startEtcd();
  const podLogDir = await context.newDirectory();
  const containers = makeContainers(podLogDir, FILES);
  fillLogs(containers, records / FILES);
  const agent = startAgent({
    directory: await context.newDirectory(),
    podLogDir,
    writer: 'etcd',
    env: { ETCD_SERVERS: etcd.url, BATCH_SIZE: String(batchSize), MAX_IN_FLIGHT: String(IN_FLIGHT) },
  });
  const linesPerSecond = await rateOfArrival(etcd.client, records, batchSize, agent.process);
  return { linesPerSecond, ...(await agent.process.stop()) };
}

/** From the first transaction that is there to the last, as seen at the server. */
async function rateOfArrival(
  client: Etcd3,
  records: number,
  batchSize: number,
  writer: MeasuredProcess,
): Promise<number> {
  const last = (await revision(client)) + Math.ceil(records / batchSize);
  let begun: { at: number; revision: number } | undefined;
  for (;;) {
    writer.assertNoFailure();
    const now = { at: performance.now(), revision: await revision(client) };
    if (begun === undefined && now.revision > last - records / batchSize) begun = now;
    if (begun !== undefined && now.revision >= last && (await count(client)) >= records) {
      const transactions = now.revision - begun.revision;
      return (transactions * batchSize) / ((now.at - begun.at) / 1_000);
    }
    await sleep(5);
  }
}

/** Each transaction that writes makes one; to ask for it costs the server next to nothing. */
async function revision(client: Etcd3): Promise<number> {
  const { header } = await client.kv.range({ key: Buffer.from('none') });
  return Number(header.revision);
}

async function count(client: Etcd3): Promise<number> {
  return await client.getAll().prefix('logs/').count();
}
