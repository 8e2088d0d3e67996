import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { etcdForAll } from '../support/etcd-for-all.ts';
import { freePorts } from '../support/free-ports.ts';
import { until } from '../support/until.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

let temporary: string;

beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'frostbeat-demo-test-'));
});
afterEach(async () => {
  await rm(temporary, { recursive: true });
});

/** The built demo as a process, in a pipe; its temporary directory lies in the test's. */
function demo(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const startedAt = performance.now();
  const child = spawn(process.execPath, ['dist/main.js', 'demo', ...args], {
    cwd: root,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TMPDIR: temporary, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const run = { stdout: '', stderr: '', firstAfterMs: Number.POSITIVE_INFINITY };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    run.firstAfterMs = Math.min(run.firstAfterMs, performance.now() - startedAt);
    run.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (run.stderr += text));
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  return {
    child,
    run,
    said: async (text: string) => {
      const sayingOrEnded = () => run.stdout.includes(text) || child.exitCode !== null;
      await until(sayingOrEnded, { timeoutMs: 40_000, what: `«${text}»` });
      expect(run.stdout).toContain(text);
    },
    ended: async () => {
      const [code] = await closed;
      return { code, ...run };
    },
  };
}

const agentPid = (stdout: string) => Number(/agent\s+process (\d+)/.exec(stdout)?.[1]);
const isRunning = (pid: number) => existsSync(`/proc/${pid}`);

/** The commands that it tells a person to type, each under the line that says what it is good for. */
const typed = (stdout: string, what: string) =>
  stdout
    .split('\n')
    .findLast((_, i, all) => all[i - 1]?.includes(what))
    ?.trim();

describe('frostbeat demo', () => {
  it('shows a whole trace across pods, finds all records stored, and says commands that work', async () => {
    const { code, stdout, stderr, firstAfterMs } = await demo(['--once', '--seed', '1']).ended();
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' });
    expect(firstAfterMs).toBeLessThan(3_000);
    expect(stdout).toMatch(/One whole trace: POST \/checkout → 50[23]/);
    expect(stdout).toMatch(/Complete: its \d+ records from [456] pods are all there, once, in order/);
    expect(stdout).toMatch(
      /So are all [\d,]+ records of the \d+ traces so far, byte for byte, through \d+ rotations/,
    );
    expect(stdout).toContain('Stopped: the agent ended with exit code 0.');
    expect(isRunning(agentPid(stdout))).toBe(false);

    const command = typed(stdout, 'the same for programs') ?? '';
    expect(command).toMatch(/^npx frostbeat trace [0-9a-f]{32} /);
    const again = spawnSync('sh', ['-c', command], { cwd: root, encoding: 'utf8' });
    expect(again.status, again.stderr).toBe(0);
    const id = / trace (\w+)/.exec(command)?.[1] ?? '?';
    const lines = again.stdout.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(3);
    expect(lines.every((line) => line.includes(id))).toBe(true);
  });

  it('goes on until Ctrl-C, and leaves nothing running then', async () => {
    const { child, run, said, ended } = demo([]);
    await said('Ctrl-C ends it');
    const url = /curl -s (\S+)/.exec(run.stdout)?.[1] ?? '';
    expect(await (await fetch(url)).text()).toContain('frostbeat_lines_delivered_total');
    child.kill('SIGINT');
    // npm passes the signal of the terminal on, to a process that had it already.
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended();
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' });
    expect(isRunning(agentPid(stdout))).toBe(false);
    const [kept = ''] = await readdir(temporary);
    expect(stdout).toContain(`rm -r ${join(temporary, kept)}`);
  });

  it('ends at once when it is interrupted at the beginning', async () => {
    const { child, said, ended } = demo([]);
    await said('agent');
    child.kill('SIGTERM');
    expect(await ended()).toMatchObject({ code: 0, stderr: '' });
  });

  it('says what the agent said when the agent dies, and fails', async () => {
    const { run, said, ended } = demo([]);
    await said(' stored, ');
    process.kill(agentPid(run.stdout), 'SIGKILL');
    const { code, stdout } = await ended();
    expect(code).toBe(1);
    expect(stdout).toContain('The agent cannot go on: signal SIGKILL. It said:\n');
  });

  it('lists the mistakes where settings of the user are wrong, and starts nothing', async () => {
    const { code, stdout, stderr } = await demo(['--once'], { BATCH_SIZE: 'many', TTL: 'long' }).ended();
    expect(code).toBe(2);
    expect(stderr).toContain('BATCH_SIZE (--batch-size) is "many"');
    expect(stderr).toContain('TTL (--ttl) is "long"');
    expect(stdout).not.toContain('process');
  });

  it('lists the mistakes of its flags', async () => {
    const { code, stdout, stderr } = await demo(['--for', 'soon', '--seed', 'x', '--onse']).ended();
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('--for is "soon": it must be a duration');
    expect(stderr).toContain('--seed is "x": it must be a whole number');
    expect(stderr).toContain('did you mean --once?');
  });

  it('waits for a store that is not there, and says so', async () => {
    const [port] = await freePorts(1);
    const { child, said, ended } = demo([], { ETCD_SERVERS: `127.0.0.1:${port}` });
    await said('The agent is not ready yet: ');
    child.kill('SIGINT');
    expect(await ended()).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('frostbeat demo with etcd', () => {
  const etcd = etcdForAll();

  it('stores into the etcd that ETCD_SERVERS names, for an hour', async () => {
    const { code, stdout, stderr } = await demo(['--for', '2s'], { ETCD_SERVERS: etcd().url }).ended();
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' });
    const id = / trace (\w{32}) /.exec(stdout)?.[1] ?? '?';
    const { kvs } = await etcd().client.getAll().prefix(`logs/${id}/`).exec();
    expect(kvs.length).toBeGreaterThan(3);
    const { grantedTTL } = await etcd().client.leaseClient.leaseTimeToLive({ ID: kvs[0]?.lease ?? '0' });
    expect(Number(grantedTTL)).toBeGreaterThanOrEqual(3_600);
    expect(Number(grantedTTL)).toBeLessThan(3_600 * 2);
  });
});
