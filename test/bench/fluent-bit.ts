import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../support/until.ts';
import { type Job, makeBacklog, type Round, runAgent, toRow } from './read-files.ts';
import type { Benchmark } from './support/context.ts';
import type { Usage } from './support/measured-process.ts';

const LIMIT_MS = 120_000;
/** `getconf CLK_TCK`: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/**
 * The first job of `read-files`, and Fluent Bit doing the same: CRI multiline parser, JSON parser, file output,
 * offsets in its database. FLUENT_BIT is its binary, which no registry has: `docs/performance.md` says how to build it.
 */
export const fluentBit: Benchmark = async (context) => {
  const binary = process.env['FLUENT_BIT'];
  if (!binary) throw new Error('Cannot measure Fluent Bit: set FLUENT_BIT to its binary');
  const job = await makeBacklog(context);
  const rounds: Round[] = [];
  for (let round = 0; round < context.rounds; round++) {
    await readOnce(job);
    const other = await runFluentBit(binary, job, await context.newDirectory());
    await readOnce(job);
    const agent = await runAgent(job, await context.newDirectory());
    rounds.push({ agent, other });
    context.say(`Fluent Bit ${other.cpuSeconds.toFixed(2)} s, agent ${agent.cpuSeconds.toFixed(2)} s of CPU`);
  }
  return [toRow('backlog → file', job, rounds, { against: 'Fluent Bit', atLeast: 5 })];
};

/**
 * Reads the files once. Behind Fluent Bit, on a virtual machine, the first to read them again waited for the machine's
 * page tables: the agent's copies out of the page cache took 0.7 s of system time in place of 0.05.
 */
async function readOnce({ containers }: Job): Promise<void> {
  for (const { path } of containers) await countLines(path);
}

async function runFluentBit(binary: string, job: Job, directory: string): Promise<Usage> {
  const lines = job.containers.length * job.linesEach;
  const config = join(directory, 'fluent-bit.yaml');
  const output = join(directory, 'records.ndjson');
  writeFileSync(config, settings(job, directory));
  const said = join(directory, 'said.log');
  const log = openSync(said, 'w');
  const child = spawn(binary, ['-c', config], { stdio: ['ignore', log, log] });
  try {
    let size = -1;
    const isWhole = async (): Promise<boolean> => {
      if (child.exitCode !== null) throw new Error(`Fluent Bit ended: ${readFileSync(said, 'utf8')}`);
      const before = size;
      await sleep(200);
      size = statSync(output, { throwIfNoEntry: false })?.size ?? 0;
      return size > 0 && size === before && (await countLines(output)) === lines;
    };
    await until(isWhole, { timeoutMs: LIMIT_MS, what: `${lines} lines of Fluent Bit` });
    return usageOf(child);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
    // Else the agent's first sync would wait for all this to be written.
    await rm(output, { force: true });
  }
}

function settings({ podLogDir }: Job, directory: string): string {
  return JSON.stringify({
    service: { flush: 0.2, log_level: 'warn' },
    parsers: [{ name: 'record', format: 'json' }],
    pipeline: {
      inputs: [
        {
          name: 'tail',
          path: join(podLogDir, '*/*/*.log'),
          'multiline.parser': 'cri',
          read_from_head: true,
          db: join(directory, 'offsets.db'),
        },
      ],
      filters: [{ name: 'parser', match: '*', key_name: 'log', parser: 'record' }],
      outputs: [{ name: 'file', match: '*', path: directory, file: 'records.ndjson', format: 'plain' }],
    },
  });
}

async function countLines(path: string): Promise<number> {
  let lines = 0;
  for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) {
    for (let at = piece.indexOf(10); at !== -1; at = piece.indexOf(10, at + 1)) lines++;
  }
  return lines;
}

/** Of all its threads so far, those that ended too. */
function usageOf({ pid }: ChildProcess): Usage {
  // The fields behind the command's closing parenthesis: utime and stime are the 12th and 13th (proc_pid_stat(5)).
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    peakBytes: Number(peak) * 1024,
  };
}
