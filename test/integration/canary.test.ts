import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type RunningAgent, startAgent } from '../support/agent-process.ts';
import { startEtcd, type TestEtcd } from '../support/etcd.ts';
import { frostbeat } from '../support/frostbeat.ts';
import { until } from '../support/until.ts';
import { writeRecords } from './node.ts';

const patient = { timeoutMs: 60_000 };
const lost = 'canaries_lost_total';
const late = 'canaries_late_total';
const received = 'canaries_received_total';

describe('the canary of an agent', () => {
  it('comes back from etcd and from the file; is lost while etcd is frozen, and told once; all of it is late then', async () => {
    await using etcd = await startEtcd();
    const env = settings(etcd, { WRITERS: 'etcd,file' });
    const agent = await startAgent(env);
    await agent.ready(60_000);
    await untilMetric(agent, received, (count) => count >= 4);
    expect(await agent.metric(lost)).toBe(0);

    etcd.freeze();
    await untilMetric(agent, lost, (count) => count >= 3);
    const before = (await agent.metric(received)) ?? 0;
    etcd.thaw();
    await untilMetric(agent, received, (count) => count > before);
    const all = (await agent.metric(lost)) ?? 0;
    await untilMetric(agent, late, (count) => count === all);
    // What the file could not be read back from in time was waiting with etcd’s.
    const told = agent.log.filter(
      ({ msg, destination }) => msg.startsWith('Canaries') && destination === 'etcd',
    );
    expect(told.map(({ level }) => level)).toEqual(['warn', 'info']);
    expect(told[1]?.['lost']).toBeGreaterThanOrEqual(2);
    expect((await agent.stop()).code).toBe(0);
  }, 180_000);

  it('is left out of lists of traces, and shown to who asks for it', async () => {
    await using etcd = await startEtcd();
    const env = settings(etcd, { WRITERS: 'etcd,file' });
    writeRecords(join(env.POD_LOG_DIR, 'shop_cart_uid/main/0.log'), 3, 'order');
    const agent = await startAgent(env);
    await untilMetric(agent, received, (count) => count >= 2);
    const [canary = ''] = await traceIds(etcd);
    expect(canary).toMatch(/^frostbeat-canary-n1-\d{8}T\d{6}\.\d{3}Z$/);
    for (const from of ['etcd', 'file']) {
      const list = await frostbeat(['traces', '--from', from, '-o', 'json'], { env }).ended();
      expect(list.stdout.trim().split('\n')).toHaveLength(1);
      expect(list.stdout).toContain('"order"');
      const shown = await frostbeat(['trace', canary, '--from', from, '-o', 'json'], { env }).ended();
      expect(shown.stdout).toContain('A canary of n1');
      expect(shown.code).toBe(0);
    }
  }, 120_000);

  it('is of no other node than all records where the node has no name', async () => {
    await using etcd = await startEtcd();
    const unnamed = settings(etcd, { WRITERS: 'etcd,file', NODE_NAME: '' });
    const env = { ...unnamed, FILE_PATH: join(unnamed.STATE_DIR, '..', 'records.ndjson') };
    writeRecords(join(env.POD_LOG_DIR, 'shop_cart_uid/main/0.log'), 3, 'order');
    const agent = await startAgent(env);
    await untilMetric(agent, received, (count) => count >= 2);
    const stored = readFileSync(env.FILE_PATH, 'utf8').trim().split('\n');
    expect(stored.some((line) => line.includes('"frostbeat-canary-'))).toBe(true);
    const nodes = stored.map((line) => /"node":"([^"]*)"\}/.exec(line)?.[1]);
    expect(new Set(nodes)).toEqual(new Set(['']));
  }, 120_000);

  it('is stored once, also where the agent is killed; its offsets are kept, and forgotten when it is switched off', async () => {
    await using etcd = await startEtcd();
    const env = settings(etcd);
    for (let run = 1; run <= 3; run++) {
      const agent = await startAgent(env);
      await untilMetric(agent, received, (count) => count >= 2);
      await agent.kill();
    }
    const agent = await startAgent({ ...env, CANARY_INTERVAL: '0' });
    await agent.ready(60_000);
    expect(await agent.metric(received)).toBeUndefined();
    const keys = await canaryKeys(etcd);
    const times = keys.map((key) => key.split('/')[2]);
    expect(times.length).toBeGreaterThanOrEqual(6);
    expect(new Set(times).size).toBe(times.length);
    await agent.stop();
    expect(readFileSync(join(env.STATE_DIR, 'offsets.json'), 'utf8')).not.toContain('canary');
  }, 120_000);

  it('holds back neither readiness nor the watermark nor the end where it cannot be written', async () => {
    await using etcd = await startEtcd();
    const env = settings(etcd);
    writeFileSync(join(env.STATE_DIR, 'canary'), 'no directory');
    writeRecords(join(env.POD_LOG_DIR, 'shop_cart_uid/main/0.log'), 3);
    const agent = await startAgent(env);
    await agent.ready(60_000);
    await untilMetric(agent, lost, (count) => count >= 2);
    await untilMetric(agent, 'watermark_lag_seconds', (lag) => lag < 5);
    const told = agent.log.filter(({ msg }) => msg.startsWith('Canaries do not come back'));
    expect(told).toHaveLength(1);
    expect(JSON.stringify(told[0])).toMatch(/ENOTDIR|EEXIST/);
    expect(agent.complaints).toHaveLength(1);
    const { code, afterMs } = await agent.stop();
    expect([code, afterMs < 10_000]).toEqual([0, true]);
  }, 120_000);

  it('comes back over a rotation of its file, of which one is kept', async () => {
    await using etcd = await startEtcd();
    const env = settings(etcd);
    const directory = join(env.STATE_DIR, 'canary');
    mkdirSync(directory);
    writeFileSync(join(directory, '0.log'), `${'x'.repeat(99)}\n`.repeat(2_700));
    writeFileSync(join(directory, '0.log.20200101-000000'), 'older\n');
    const agent = await startAgent(env);
    await untilMetric(agent, received, (count) => count >= 3);
    const names = readdirSync(directory).toSorted();
    expect(names).toEqual(['0.log', expect.stringMatching(/^0\.log\.20[2-9]\d{5}-\d{6}$/)]);
    expect(names).not.toContain('0.log.20200101-000000');
    expect(statSync(join(directory, '0.log')).size).toBeLessThan(10_000);
    expect(await agent.metric(lost)).toBe(0);
    expect(agent.complaints).toEqual([]);
  }, 120_000);

  it('says at the start which destination it cannot be read back from, and refuses to wait for less than a batch', async () => {
    await using etcd = await startEtcd();
    const agent = await startAgent(settings(etcd, { WRITERS: 'etcd,stdout' }));
    await agent.ready(60_000);
    expect(agent.complaints).toEqual([
      'warn: The canary cannot be read back from stdout: nothing is measured there (it can be from etcd, file, elasticsearch, opensearch, kafka).',
    ]);
    const wrong = await startAgent(settings(etcd, { CANARY_TIMEOUT: '2s', BATCH_PERIOD: '5s' }));
    expect((await wrong.exit()).code).toBe(2);
    expect(wrong.text).toContain(
      'CANARY_TIMEOUT (--canary-timeout) is 2s: it must be longer than BATCH_PERIOD',
    );
  }, 120_000);
});

function settings(etcd: TestEtcd, more: Readonly<Record<string, string>> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'frostbeat-node-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const [pods, state] = [join(directory, 'pods'), join(directory, 'state')];
  for (const path of [pods, state]) if (!existsSync(path)) mkdirSync(path);
  return {
    ETCD_SERVERS: etcd.url,
    NODE_NAME: 'n1',
    POD_SOURCE: 'directory',
    NAMESPACE: 'shop',
    POD_LOG_DIR: pods,
    STATE_DIR: state,
    BATCH_PERIOD: '200ms',
    CANARY_INTERVAL: '1s',
    CANARY_TIMEOUT: '3s',
    ...more,
  };
}

async function untilMetric(
  agent: RunningAgent,
  name: string,
  holds: (value: number) => boolean,
): Promise<void> {
  let last: number | undefined;
  const look = async () => {
    last = await agent.metric(name);
    return last !== undefined && holds(last);
  };
  await until(look, { ...patient, what: name }).catch((cause: unknown) => {
    throw new Error(`Cannot see ${name}: it is ${last}. ${agent.lastWords}`, { cause });
  });
}

async function canaryKeys({ client }: TestEtcd): Promise<string[]> {
  return (await client.getAll().prefix('logs/frostbeat-canary-').keys()).map(String);
}

async function traceIds(etcd: TestEtcd): Promise<string[]> {
  return (await canaryKeys(etcd)).map((key) => key.split('/')[1] ?? '');
}
