import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Range } from 'etcd3';
import { describe, expect, it } from 'vitest';
import type { RunningAgent } from '../support/agent-process.ts';
import { startEtcd, type TestEtcd } from '../support/etcd.ts';
import { frostbeat } from '../support/frostbeat.ts';
import { until } from '../support/until.ts';
import {
  committedBytes,
  countStored,
  ownText,
  testNode,
  type TestNode,
  untilStored,
  writeRecords,
} from './node.ts';

const logOf = ({ podLogDir }: TestNode, name: string): string =>
  join(podLogDir, `demo-system_${name}_uid-${name}`, 'app', '0.log');

const directory = { POD_SOURCE: 'directory', BATCH_PERIOD: '100ms' };

async function storedTexts({ client }: TestEtcd): Promise<string[]> {
  const { kvs } = await client.getAll().prefix('logs/').exec();
  return kvs.map(({ value }) => ownText(value));
}

describe('an etcd whose database is full', () => {
  it('is waited for with slow probes and a word of what to do, and gets every record when it was done', async () => {
    await using etcd = await startEtcd({ quotaBytes: 8 * 2 ** 20 });
    const node = await testNode(etcd);
    const agent = await node.startAgent({ ...directory, TTL: '0' });
    const said = () => agent.complaints.filter((line) => line.includes('NOSPACE'));
    // A little at a time: the server knows its size only as of its last commit to disk, and takes more until then.
    const written: string[] = [];
    const write = () =>
      written.push(...writeRecords(logOf(node, 'web'), 50, `${written.length}-${'x'.repeat(10_000)}`));
    const delivered = async () => (await agent.metric('lines_delivered_total')) === written.length;
    while (said().length === 0 && written.length < 2_000) {
      write();
      await until(async () => said().length > 0 || (await delivered()), { what: 'an answer of etcd' });
    }
    write();
    await until(() => said().length > 0, { what: 'a word of the full database' });
    expect(said()[0]).toMatch(/Compact it, defragment every member, then disarm the alarm.*shorter TTL/);
    expect(await agent.readiness()).toMatchObject({ status: 503, text: expect.stringContaining('NOSPACE') });

    // What waits has been tried; from now on one batch is, every 15 s.
    await sleep(2_000);
    const [before, committed] = [await writesFailed(agent), committedBytes(node)];
    await sleep(16_000);
    expect((await writesFailed(agent)) - before).toBeLessThanOrEqual(2);
    expect(committedBytes(node)).toBe(committed);
    expect(said()).toHaveLength(1);

    // What an operator does.
    const first = await storedTexts(etcd);
    expect(first.length).toBeLessThan(written.length);
    await etcd.client.delete().prefix('logs/').exec();
    const { header } = await etcd.client.kv.range({ key: Buffer.from('x') });
    await etcd.client.kv.compact({ revision: header.revision, physical: true });
    await etcd.client.maintenance.defragment();
    const { alarms } = await etcd.client.maintenance.alarm({ action: 'Get' });
    for (const alarm of alarms) await etcd.client.maintenance.alarm({ ...alarm, action: 'Deactivate' });

    await until(delivered, { timeoutMs: 40_000, what: 'every record delivered' });
    await agent.ready();
    expect(new Set([...first, ...(await storedTexts(etcd))])).toEqual(new Set(written));
    expect((await agent.stop()).code).toBe(0);
  });
});

describe('a batch that etcd refuses for now', () => {
  const users = [
    { name: 'agent', password: 'p', permissions: [{ prefix: 'logs/good', type: 'Readwrite' as const }] },
  ];
  const access = { ...directory, ETCD_USERNAME: 'agent', ETCD_PASSWORD: 'p' };

  it('does not hold up the others; its lines are not settled, and it is written when it may be', async () => {
    await using etcd = await startEtcd({ rootPassword: 'r', users });
    const node = await testNode(etcd);
    const agent = await node.startAgent(access);
    writeRecords(logOf(node, 'bad'), 1, 'bad');
    await until(async () => agent.complaints.length > 0, { timeoutMs: 10_000, what: 'the refusal' });
    expect(agent.complaints[0]).toContain('the user lacks a permission');
    // The refusal may be told before any batch: what is written now must not come into the batch of the bad one.
    await until(async () => (await agent.metric('batches_failed')) === 1, {
      what: 'the batch of the bad one',
    });
    for (let n = 0; n < 10; n++) writeRecords(logOf(node, 'good'), 200, 'good');
    await untilStored(etcd, 2_000);
    await until(async () => (await agent.metric('lines_delivered_total')) === 2_000, {
      what: 'all the others',
    });
    expect((await agent.ledger())?.inFlight).toBe(1);

    await etcd.client.role('agent').grant({ permission: 'Readwrite', range: Range.prefix('logs/') });
    await untilStored(etcd, 2_001);
    await until(async () => (await agent.metric('lines_in_flight')) === 0, { what: 'its settlement' });
    expect((await agent.stop()).code).toBe(0);
  });

  it('and is larger than a transaction settles only when it is whole', async () => {
    await using etcd = await startEtcd({ rootPassword: 'r', users });
    const node = await testNode(etcd);
    const file = logOf(node, 'web');
    writeRecords(file, 299, 'good');
    writeRecords(file, 1, 'bad');
    const agent = await node.startAgent({ ...access, BATCH_SIZE: '300', BATCH_PERIOD: '5s' });
    await until(async () => (await countStored(etcd)) === 256, {
      timeoutMs: 20_000,
      what: 'two of three transactions',
    });
    await until(() => agent.complaints.length > 0, { what: 'the refusal' });
    expect(await agent.ledger()).toMatchObject({ delivered: 0, inFlight: 300 });
    expect(committedBytes(node) ?? 0).toBe(0);

    await etcd.client.role('agent').grant({ permission: 'Readwrite', range: Range.prefix('logs/') });
    await until(async () => (await agent.ledger())?.delivered === 300, {
      timeoutMs: 20_000,
      what: 'the whole batch',
    });
    expect(await countStored(etcd)).toBe(300);
    expect((await agent.stop()).code).toBe(0);
    expect(committedBytes(node)).toBe(readFileSync(file).length);
  });
});

describe('a wrong password', () => {
  it('is said once and tried seldom; the right one is taken from its file; neither is seen anywhere', async () => {
    const [wrong, right] = ['wr0ng-and-secret', 'r1ght-and-secret'];
    await using etcd = await startEtcd({
      rootPassword: 'r',
      users: [{ name: 'agent', password: right, permissions: [{ prefix: 'logs/', type: 'Readwrite' }] }],
    });
    const node = await testNode(etcd);
    const passwordFile = join(node.directory, 'password');
    writeFileSync(passwordFile, `${wrong}\n`);
    const written = writeRecords(logOf(node, 'web'), 400);
    const access = { ...directory, ETCD_USERNAME: 'agent', LOG_LEVEL: 'trace' };
    const agent = await node.startAgent({ ...access, ETCD_PASSWORD_FILE: passwordFile });
    await until(() => agent.complaints.length > 0, { timeoutMs: 20_000, what: 'a word of it' });
    await sleep(3_000);
    const before = await writesFailed(agent);
    const seen = [await pages(agent)];
    await sleep(11_000);
    expect((await writesFailed(agent)) - before).toBeLessThanOrEqual(3);
    expect(agent.complaints).toEqual([expect.stringContaining('it refuses the user or the password')]);
    expect(await agent.readiness()).toMatchObject({
      status: 503,
      text: expect.stringContaining('check ETCD_USERNAME and ETCD_PASSWORD'),
    });

    writeFileSync(passwordFile, right);
    await untilStored(etcd, written.length, 30_000);
    await agent.ready();
    seen.push(await pages(agent));
    expect((await agent.stop()).code).toBe(0);
    seen.push(agent.text);

    // The same from the environment, where it is wrong and where it is right, and what `config` prints.
    for (const password of [wrong, right]) {
      const env = { ...node.env, ...access, ETCD_PASSWORD: password };
      for (const output of ['text', 'json']) {
        const { stdout, stderr } = await frostbeat(['config', '-o', output], { env }).ended();
        seen.push(stdout, stderr);
      }
      const { stdout, stderr } = await frostbeat(['trace', 'trace'], { env }).ended();
      seen.push(stdout, stderr);
      const other = await node.startAgent({ ...access, ETCD_PASSWORD: password });
      await until(async () => (await other.readiness()).text !== 'no answer' && other.scrapes > 3, {
        timeoutMs: 10_000,
        what: 'the agent',
      });
      seen.push(await pages(other));
      expect((await other.stop()).code).toBe(0);
      seen.push(other.text);
    }
    for (const name of readdirSync(node.stateDir, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('dead-letters')) seen.push(readFileSync(join(node.stateDir, name), 'utf8'));
    }
    expect(seen.filter((text) => text.includes(wrong) || text.includes(right))).toEqual([]);
    expect(seen.join('').length).toBeGreaterThan(20_000);
  });
});

async function writesFailed(agent: RunningAgent): Promise<number> {
  const metrics = await page(agent, '/metrics');
  return Number(/^frostbeat_write_seconds_count\{.*outcome="error".*\} (\d+)$/m.exec(metrics)?.[1] ?? 0);
}

async function pages(agent: RunningAgent): Promise<string> {
  const all = ['/metrics', '/readyz', '/healthz', '/'].map((path) => page(agent, path));
  return (await Promise.all(all)).join('\n');
}

async function page({ base }: RunningAgent, path: string): Promise<string> {
  return await (await fetch(`${base}${path}`)).text();
}
