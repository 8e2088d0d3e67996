import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { setup as ensureEtcd } from '../support/ensure-etcd.ts';
import { fluentBit } from './fluent-bit.ts';
import { catchUp, idle } from './idle.ts';
import { latency } from './latency.ts';
import { readFiles } from './read-files.ts';
import { reading } from './reading.ts';
import { type Benchmark, runBenchmark } from './support/context.ts';
import { nodeFlags } from './support/measured-process.ts';
import { type Row, toMarkdown } from './support/row.ts';
import { growth, watching } from './watch-files.ts';
import { writeEtcd } from './write-etcd.ts';
import { writeServer } from './write-servers.ts';
import { serverNames } from './writer-servers.ts';

const benchmarks: Readonly<Record<string, Benchmark>> = {
  'read-files': readFiles,
  'write-etcd': writeEtcd,
  latency,
  idle,
  watching,
  'catch-up': catchUp,
  growth,
  reading,
};
/** Those of the other writers' servers, which Java runs or Go builds: only where they are asked for. */
const writers: Readonly<Record<string, Benchmark>> = Object.fromEntries(
  serverNames.map((name) => [`write-${name}`, writeServer(name)]),
);
/** Beside another agent, which is only there where FLUENT_BIT says: only where it is asked for. */
const peers: Readonly<Record<string, Benchmark>> = { 'fluent-bit': fluentBit };
const RESULTS = 'bench-results.json';

// What was started ends with the process, however that ends.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
await main(process.argv.slice(2));

/** `npm run bench -- [--smoke] [--rounds n] [--writers] [names…]`: the table to stdout, everything to bench-results.json. */
async function main(args: string[]): Promise<void> {
  const options = {
    smoke: { type: 'boolean' },
    writers: { type: 'boolean' },
    rounds: { type: 'string' },
  } as const;
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const smoke = values.smoke === true;
  const rounds = smoke ? 1 : Number(values.rounds ?? 5);
  const all = { ...benchmarks, ...writers, ...peers };
  const wrong = positionals.some((name) => !Object.hasOwn(all, name)) || !(rounds >= 1);
  if (wrong) {
    const names = Object.keys(all).join('|');
    throw new Error(`Usage: npm run bench -- [--smoke] [--rounds <n>] [--writers] [${names}]…`);
  }

  ensureEtcd();
  const loadBefore = loadavg()[0]!;
  const rows: Row[] = [];
  const wanted =
    positionals.length > 0 || values.writers === true
      ? [...positionals, ...(values.writers === true ? Object.keys(writers) : [])]
      : Object.keys(benchmarks);
  for (const [name, benchmark] of Object.entries(all)) {
    if (!wanted.includes(name)) continue;
    rows.push(...(await runBenchmark(benchmark, { smoke, rounds, say })));
  }

  const machine = {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: `${process.version} ${nodeFlags.join(' ')}`.trim(),
    loadBefore,
  };
  const { processor, cores, node } = machine;
  const about = `${cores} cores of ${processor}, Node ${node}, load before ${loadBefore.toFixed(1)}, rounds: ${rounds}`;
  process.stdout.write(`${toMarkdown(rows)}\n\n${about}\n`);
  const leftOut = Object.keys(writers).filter((name) => !wanted.includes(name));
  if (positionals.length === 0 && leftOut.length > 0)
    process.stdout.write(
      `NOT MEASURED: ${leftOut.join(', ')}, which need Java or Go: npm run bench -- --writers\n`,
    );
  if (smoke) process.stdout.write('A smoke run: it says that the benchmarks run, and nothing about speed.\n');
  const report = { date: new Date().toISOString(), smoke, rounds, machine, rows };
  writeFileSync(RESULTS, `${JSON.stringify(report, undefined, 2)}\n`);
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
