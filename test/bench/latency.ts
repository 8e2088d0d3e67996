import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Etcd3 } from 'etcd3';
import { startEtcd } from '../support/etcd.ts';
import { until } from '../support/until.ts';
import { startAgent } from './support/agent.ts';
import type { Benchmark, Context } from './support/context.ts';
import { criLine, fillLogs, makeContainers, recordOf } from './support/lines.ts';
import { median, percentile, type Row, spread } from './support/row.ts';

const FILES = 4;
const RATE = 1_000;
const BATCH_PERIOD_MS = 100;

/** Lines appended at 1,000 a second: from the append to the event that etcd sends to who watches the keys. */
export const latency: Benchmark = async (context) => [
  await measure('batches closed by period', '10000', context),
  ...(context.smoke ? [] : [await measure('batches closed by count', '20', context)]),
];

async function measure(how: string, batchSize: string, context: Context): Promise<Row> {
  const rounds: { p50: number; p99: number; most: number; cpuSeconds: number; peakBytes: number }[] = [];
  for (let round = 0; round < Math.min(context.rounds, 3); round++) {
    const result = await measureOnce(batchSize, context);
    rounds.push(result);
    context.say(
      `latency, ${how}: p50 ${result.p50.toFixed(0)}, p99 ${result.p99.toFixed(0)}, most ${result.most.toFixed(0)} ms`,
    );
  }
  const p99 = rounds.map((round) => round.p99);
  return {
    benchmark: `append → visible in etcd, ${RATE} lines/s, BATCH_PERIOD=${BATCH_PERIOD_MS}ms, ${how} (BATCH_SIZE=${batchSize})`,
    agent: `p50 ${median(rounds.map(({ p50 }) => p50)).toFixed(0)} ms, most ${Math.max(...rounds.map(({ most }) => most)).toFixed(0)} ms`,
    against: 'BATCH_PERIOD',
    result: median(p99),
    unit: ' ms p99',
    spread: spread(p99),
    target: { atMost: BATCH_PERIOD_MS + 100 },
    cpuSeconds: median(rounds.map(({ cpuSeconds }) => cpuSeconds)),
    peakBytes: median(rounds.map(({ peakBytes }) => peakBytes)),
    rounds,
  };
}

async function measureOnce(batchSize: string, context: Context) {
  await using etcd = await startEtcd();
  const podLogDir = await context.newDirectory();
  const containers = makeContainers(podLogDir, FILES);
  fillLogs(containers, 1);
  const appended = new Map<string, number>();
  const delays: number[] = [];
  const client = new Etcd3({ hosts: etcd.url });
  const watcher = await client.watch().prefix('logs/').create();
  watcher.on('put', ({ key }) => {
    const begun = appended.get(key.toString().split('/')[1] ?? '');
    if (begun !== undefined) delays.push(performance.now() - begun);
  });
  const agent = startAgent({
    directory: await context.newDirectory(),
    podLogDir,
    writer: 'etcd',
    env: { ETCD_SERVERS: etcd.url, BATCH_SIZE: batchSize, BATCH_PERIOD: `${BATCH_PERIOD_MS}ms` },
  });
  await until(async () => (await etcd.client.getAll().prefix('logs/').count()) > 0, {
    what: 'the first records',
    timeoutMs: 20_000,
  });

  const total = RATE * (context.smoke ? 1 : 20);
  const lines = Array.from({ length: total }, (_, index) => criLine(index + 1_000));
  const ids = lines.map((line) => (JSON.parse(recordOf(line)) as { traceId: string }).traceId);
  const begin = performance.now();
  for (let written = 0; written < total;) {
    const due = Math.min(total, Math.ceil(((performance.now() - begin) / 1_000) * RATE));
    for (; written < due; written++) {
      appendFileSync(containers[written % FILES]!.path, lines[written]!);
      appended.set(ids[written]!, performance.now());
    }
    await sleep(2);
  }
  await until(() => delays.length === total, { what: `${total} records in etcd`, timeoutMs: 20_000 });
  await watcher.cancel();
  client.close();
  const usage = await agent.process.stop();
  return {
    p50: percentile(delays, 0.5),
    p99: percentile(delays, 0.99),
    most: Math.max(...delays),
    ...usage,
  };
}
