import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEtcd } from '../support/etcd.ts';
import { until } from '../support/until.ts';
import type { Benchmark, Context } from './support/context.ts';
import { MeasuredProcess } from './support/measured-process.ts';
import { median, type Row, spread } from './support/row.ts';

const main = new URL('../../dist/main.js', import.meta.url).pathname;
/** An ID that the other traces do not have. */
const LONG = 'f'.repeat(32);
const LINES_A_TRACE = 10;

interface Line {
  readonly traceId: string;
  readonly unixNano: string;
  readonly json: string;
}

/** `frostbeat serve` over a full store: how long until the first byte of the list, of a trace, of a long trace's page. */
export const reading: Benchmark = async (context) => {
  const lines = context.smoke ? 2_000 : 500_000;
  return [...(await overFile(lines, context)), ...(await overEtcd(lines, context))];
};

async function overFile(lines: number, context: Context): Promise<Row[]> {
  const path = join(await context.newDirectory(), 'records.ndjson');
  const file = createWriteStream(path);
  for (const { traceId, unixNano, json } of everyLine(lines)) {
    const line = `{"timestamp":${unixNano},"traceId":"${traceId}","log":${json}}\n`;
    if (!file.write(line)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'finish');
  return measure(`file of ${2 * lines} lines`, { WRITERS: 'file', FILE_PATH: path }, { lines, context });
}

async function overEtcd(lines: number, context: Context): Promise<Row[]> {
  await using etcd = await startEtcd();
  const puts = [...everyLine(lines)].map(({ traceId, unixNano, json }, n) => ({
    request_put: {
      key: Buffer.from(`logs/${traceId}/${unixNano}/0123456789abcdef-${n.toString(16).padStart(12, '0')}`),
      value: Buffer.from(json),
    },
  }));
  const lane = async (): Promise<void> => {
    for (let some = puts.splice(-120); some.length > 0; some = puts.splice(-120)) {
      await etcd.client.kv.txn(
        { compare: [], success: some, failure: [] },
        { deadline: Date.now() + 60_000 },
      );
    }
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
  return await measure(`etcd of ${2 * lines} keys`, { ETCD_SERVERS: etcd.url }, { lines, context });
}

/** Half of the lines are of traces of ten, the others of one. */
function* everyLine(lines: number): Generator<Line, void> {
  for (let n = 0; n < lines; n++) {
    const traceId = traceOf(Math.floor(n / LINES_A_TRACE));
    for (const id of [traceId, LONG]) {
      const json = JSON.stringify({
        level: n % 997 === 7 ? 'error' : 'info',
        msg: `line ${n} of something that happened`,
        traceId: id,
        ms: n % 1_000,
        kubernetes: { namespace: 'bench', pod: `cart-${n % 7}`, container: 'main', node: 'n1' },
      });
      yield { traceId: id, unixNano: String(1_700_000_000_000_000_000n + BigInt(n) * 1_000n), json };
    }
  }
}

/** Spread over the keys, as hashes are. */
function traceOf(n: number): string {
  return ((n * 2_654_435_761) >>> 0).toString(16).padStart(8, '0').repeat(4);
}

async function measure(
  store: string,
  env: Readonly<Record<string, string>>,
  { lines, context }: { lines: number; context: Context },
): Promise<Row[]> {
  const from = env['FILE_PATH'] === undefined ? 'etcd' : 'file';
  const serve = new MeasuredProcess({
    directory: await context.newDirectory(),
    args: [main, 'serve', '--from', from],
    env: { ...env, HTTP_PORT: '0' },
  });
  const address = (): string | undefined => /http:\S+\/$/m.exec(serve.said)?.[0];
  const base = await until(() => (serve.assertNoFailure(), address()), {
    what: 'the page',
    timeoutMs: 60_000,
  });
  const asked = [
    ['the newest 50 traces', 'api/traces?limit=50'],
    ['a trace of ten lines', `api/traces/${traceOf(Math.floor(lines / LINES_A_TRACE / 2))}`],
    [`the first 500 lines of ${lines}`, `api/traces/${LONG}`],
  ] as const;
  const found: { what: string; firstMs: number; rounds: number[] }[] = [];
  for (const [what, path] of asked) {
    const firstMs = await firstByteMs(base + path);
    const rounds: number[] = [];
    for (let round = 0; round < context.rounds; round++) {
      // The list is good for a second.
      await sleep(1_100);
      rounds.push(await firstByteMs(base + path));
    }
    context.say(
      `reading, ${store}, ${what}: first ${firstMs.toFixed(0)} ms, then ${rounds.map((ms) => ms.toFixed(0)).join(', ')}`,
    );
    found.push({ what, firstMs, rounds });
  }
  const { cpuSeconds, peakBytes } = await serve.stop();
  return found.map(({ what, firstMs, rounds }) => ({
    benchmark: `serve, ${store}: ${what}, to the first byte`,
    agent: `${firstMs.toFixed(0)} ms when asked first`,
    against: '',
    result: median(rounds),
    unit: ' ms',
    spread: spread(rounds),
    target: { atMost: 1_000 },
    cpuSeconds,
    peakBytes,
    rounds: rounds.map((ms) => ({ ms })),
  }));
}

async function firstByteMs(url: string): Promise<number> {
  const start = performance.now();
  const response = await fetch(url);
  const body = response.body!.getReader();
  const first = await body.read();
  const took = performance.now() - start;
  if (response.status !== 200 || first.value === undefined)
    throw new Error(`Cannot read ${url}: ${response.status} ${Buffer.from(first.value ?? []).toString()}`);
  while (!(await body.read()).done);
  return took;
}
