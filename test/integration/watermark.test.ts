import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Range } from 'etcd3';
import { describe, expect, it } from 'vitest';
import { startEtcd } from '../support/etcd.ts';
import { etcdForAll } from '../support/etcd-for-all.ts';
import { frostbeat } from '../support/frostbeat.ts';
import { until as untilIn } from '../support/until.ts';
import {
  knownNodeKey,
  nodeKey,
  type NodeReport,
  nodeReportPath,
  parseNodeReport,
} from '../../src/writers/node-report.ts';
import { containerTarget, podTarget } from '../../src/pods/log-path.ts';
import { testNode, type TestNode, untilStored, writeRecords } from './node.ts';

const etcd = etcdForAll();

/** The machine may be busy. */
const until: typeof untilIn = (condition, options) => untilIn(condition, { timeoutMs: 30_000, ...options });

const quick = { NODE_REPORT_PERIOD: '200ms', NODE_LEASE: '3s', BATCH_PERIOD: '200ms' };

async function told(key = nodeKey('node-1')): Promise<NodeReport | undefined> {
  const value = await etcd().client.get(key).buffer();
  return value === null ? undefined : parseNodeReport(value.toString('utf8'));
}

/** Milliseconds since 1970; -Infinity where nothing is known. */
const at = (report: NodeReport | undefined): number => Date.parse(report?.watermark ?? '') || -Infinity;

async function untilPast(time: number): Promise<NodeReport> {
  await until(async () => at(await told()) > time, { what: 'a watermark behind that time' });
  return (await told())!;
}

/** The log file of a new container of a selected pod; told to the API unless it is not to know of it. */
function newContainer(node: TestNode, name: string, { tell = true } = {}): string {
  const pod = podTarget(node.podLogDir, { namespace: 'demo-system', pod: name, uid: `uid-${name}` });
  const { directory } = containerTarget(pod, 'app');
  if (tell) tellApi(node, name);
  mkdirSync(directory, { recursive: true });
  return join(directory, '0.log');
}

function tellApi({ api }: TestNode, name: string): void {
  api.addPod({
    namespace: 'demo-system',
    name,
    uid: `uid-${name}`,
    node: 'node-1',
    labels: { app: 'snowplow' },
  });
}

describe('the watermark in etcd', () => {
  it('passes what is written within seconds, and never before it is stored', async () => {
    const node = await testNode(etcd());
    const log = newContainer(node, 'a');
    writeRecords(log, 3);
    const agent = await node.startAgent(quick);
    let stored = 3;
    for (let round = 0; round < 8; round++) {
      writeRecords(log, 2);
      const written = Date.now();
      stored += 2;
      await untilPast(written);
      expect((await etcd().client.getAll().prefix('logs/').keys()).length).toBe(stored);
    }
    const report = (await told())!;
    expect(report).toMatchObject({
      node: 'node-1',
      containers: 1,
      stopped: false,
      gaps: [],
      leaseSeconds: 3,
    });
    expect(report.lagSeconds).toBeLessThan(5);
    expect(await agent.metric('watermark_timestamp_seconds')).toBeGreaterThan(Date.now() / 1_000 - 10);
    expect(await agent.metric('watermark_lag_seconds')).toBeLessThan(5);
    expect(await told(knownNodeKey('node-1'))).toMatchObject({ node: 'node-1' });
  });

  it('goes on while nothing is written, also where there is no container', async () => {
    const node = await testNode(etcd());
    await node.startAgent(quick);
    const report = await untilPast(Date.now());
    expect(report.containers).toBe(0);
  });

  it('stands still while a pod is not known yet whose lines wait, and goes on when it is told', async () => {
    const node = await testNode(etcd());
    writeRecords(newContainer(node, 'a'), 1);
    const agent = await node.startAgent(quick);
    await agent.ready();
    await untilPast(Date.now());
    node.api.break({ kind: 'hang' });
    node.api.dropConnections();
    const created = Date.now();
    const log = newContainer(node, 'late', { tell: false });
    writeRecords(log, 5);
    const stands = async () => {
      const report = await told();
      return Date.now() - at(report) > 3_000;
    };
    await until(stands, { what: 'a watermark that stands still' });
    // A directory is there before anything is written into it.
    expect(at(await told())).toBeLessThanOrEqual(created + 50);
    tellApi(node, 'late');
    node.api.heal();
    await untilPast(Date.now());
    expect((await etcd().client.getAll().prefix('logs/').keys()).length).toBe(6);
  });

  it('lags behind a store that is slow, and says of what', async () => {
    const node = await testNode(etcd());
    const gate = join(node.directory, 'open');
    writeFileSync(
      join(node.directory, 'slow.mjs'),
      `import { existsSync } from 'node:fs';
       export default () => ({ name: 'slow', writeBatch: async (records, signal) => {
         while (!existsSync(${JSON.stringify(gate)})) { signal.throwIfAborted(); await new Promise((r) => setTimeout(r, 20)); }
       } });`,
    );
    const log = newContainer(node, 'a');
    const agent = await node.startAgent({ ...quick, WRITERS: 'etcd,./slow.mjs' });
    await untilPast(Date.now());
    const before = Date.now();
    writeRecords(log, 1);
    await untilStored(etcd(), 1);
    const lags = async () => Date.now() - at(await told()) > 2_000;
    await until(lags, { what: 'a watermark that lags' });
    expect(at(await told())).toBeLessThanOrEqual(before + 50);
    const status = (await (await fetch(`${agent.base}/status.json`)).json()) as {
      watermark: { restsOn: string };
    };
    expect(status.watermark.restsOn).toBe('demo-system/a/app');
    writeFileSync(gate, '');
    await untilPast(Date.now());
  });

  it('is followed by silence where the agent is frozen, and goes on where it had stood', async () => {
    const node = await testNode(etcd());
    newContainer(node, 'a');
    const agent = await node.startAgent(quick);
    const before = await untilPast(Date.now());
    agent.signal('SIGSTOP');
    await until(async () => (await told()) === undefined, { what: 'a node whose lease is gone' });
    const known = await told(knownNodeKey('node-1'));
    expect(known).toMatchObject({ stopped: false });
    expect(at(known)).toBeGreaterThanOrEqual(at(before));
    agent.signal('SIGCONT');
    const after = await untilPast(Date.now());
    expect(at(after)).toBeGreaterThan(at(before));
  });

  it('is the last word of an agent that stops, and the floor of the next', async () => {
    const node = await testNode(etcd());
    const log = newContainer(node, 'a');
    const agent = await node.startAgent(quick);
    await untilPast(Date.now());
    writeRecords(log, 4);
    expect(await agent.stop()).toMatchObject({ code: 0 });
    expect(await told()).toBeUndefined();
    const last = (await told(knownNodeKey('node-1')))!;
    expect(last).toMatchObject({ stopped: true, containers: 1 });

    // The next cannot know more at once: it has read nothing yet.
    await node.startAgent({ ...quick, WRITERS: 'etcd' });
    await until(async () => (await told()) !== undefined, { what: 'a report of the next agent' });
    expect(at(await told())).toBeGreaterThanOrEqual(at(last));
    await untilPast(Date.now());
  });

  it('goes on where its lease was revoked', async () => {
    const node = await testNode(etcd());
    await node.startAgent(quick);
    await untilPast(Date.now());
    const { kvs } = await etcd().client.getAll().prefix('frostbeat/').exec();
    for (const { lease } of kvs) await etcd().client.leaseClient.leaseRevoke({ ID: lease });
    expect(await told()).toBeUndefined();
    await untilPast(Date.now());
  });

  it('is not in the way of the records where it may not be written, and says so once', async () => {
    await using guarded = await startEtcd({
      rootPassword: 'r',
      users: [{ name: 'agent', password: 'p', permissions: [{ prefix: 'logs/', type: 'Readwrite' }] }],
    });
    const node = await testNode(guarded);
    const log = newContainer(node, 'a');
    writeRecords(log, 3);
    const agent = await node.startAgent({ ...quick, ETCD_USERNAME: 'agent', ETCD_PASSWORD: 'p' });
    await untilStored(guarded, 3);
    await until(() => agent.text.includes('Cannot tell etcd how far'), { what: 'a word of it' });
    expect(agent.text).toContain('--prefix=true readwrite frostbeat/');
    await guarded.client.role('agent').grant({ permission: 'Readwrite', range: Range.prefix('frostbeat/') });
    await until(() => agent.text.includes('is told to etcd again'), { what: 'its end' });
    expect(agent.text.split('Cannot tell etcd how far')).toHaveLength(2);
  });

  it('goes on by itself after a store that did not answer', async () => {
    const node = await testNode(etcd());
    await node.startAgent(quick);
    await untilPast(Date.now());
    etcd().freeze();
    await sleep(7_000);
    etcd().thaw();
    expect(await untilPast(Date.now())).toMatchObject({ node: 'node-1', stopped: false });
  });
});

describe('the watermark beside the file', () => {
  it('is in a file of its own, beside the directories of nodes and days', async () => {
    const node = await testNode(undefined);
    const log = newContainer(node, 'a');
    const output = join(node.directory, '{node}/{date}/records.ndjson');
    const agent = await node.startAgent({ ...quick, WRITERS: 'file', FILE_PATH: output });
    const report = (): NodeReport | undefined => {
      try {
        return parseNodeReport(readFileSync(nodeReportPath(output, 'node-1'), 'utf8'));
      } catch {
        return undefined;
      }
    };
    writeRecords(log, 2);
    const written = Date.now();
    await until(() => at(report()) > written, { what: 'a watermark behind that time' });
    const env = { WRITERS: 'file', FILE_PATH: output, TRACE_GRACE: '0s' };
    const { stdout, stderr } = await frostbeat(['trace', 'trace', '--output', 'json'], { env }).ended();
    expect(stdout.trim().split('\n')).toHaveLength(2);
    expect(JSON.parse(stderr)).toMatchObject({ state: 'complete' });
    await agent.stop();
    expect(report()).toMatchObject({ node: 'node-1', stopped: true });
  });
});
