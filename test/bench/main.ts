import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { catchUp, idle } from './idle.ts';
import { latency } from './latency.ts';
import { readFiles } from './read-files.ts';
import { reading } from './reading.ts';
import { type Benchmark, runBenchmark } from './support/context.ts';
import { nodeFlags } from './support/measured-process.ts';
import { type Row, toMarkdown } from './support/row.ts';
import { growth, watching } from './watch-files.ts';
import { writeEtcd } from './write-etcd.ts';

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
const RESULTS = 'bench-results.json';

await main(process.argv.slice(2));

/** `npm run bench -- [--smoke] [--rounds n] [names…]`: the table to stdout, everything to bench-results.json. */
async function main(args: string[]): Promise<void> {
  const options = { smoke: { type: 'boolean' }, rounds: { type: 'string' } } as const;
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const smoke = values.smoke === true;
  const rounds = smoke ? 1 : Number(values.rounds ?? 5);
  const wrong = positionals.some((name) => !Object.hasOwn(benchmarks, name)) || !(rounds >= 1);
  if (wrong) {
    const names = Object.keys(benchmarks).join('|');
    throw new Error(`Usage: npm run bench -- [--smoke] [--rounds <n>] [${names}]…`);
  }

  const loadBefore = loadavg()[0]!;
  const rows: Row[] = [];
  for (const [name, benchmark] of Object.entries(benchmarks)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
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
  if (smoke) process.stdout.write('A smoke run: it says that the benchmarks run, and nothing about speed.\n');
  const report = { date: new Date().toISOString(), smoke, rounds, machine, rows };
  writeFileSync(RESULTS, `${JSON.stringify(report, undefined, 2)}\n`);
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
