import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { etcdForAll } from '../support/etcd-for-all.ts';
import type { RunningAgent } from '../support/agent-process.ts';
import { until } from '../support/until.ts';
import {
  allStored,
  countStored,
  ownText,
  rememberedContainers,
  testNode,
  type TestNode,
  untilStored,
  writeRecords,
} from './node.ts';

const etcd = etcdForAll();

const sample = new URL('../fixtures/conmon/0.log', import.meta.url).pathname;
const labels = { app: 'snowplow' };

/** The directory of a pod of the selected namespace, told to the API. */
function addPod({ api, podLogDir }: TestNode, name: string): string {
  const { metadata } = api.addPod({ namespace: 'demo-system', name, labels });
  return join(podLogDir, `demo-system_${name}_${metadata.uid}`);
}

/** What the store should hold of a CRI log, found without the agent's code: texts by key, as far as the record ID. */
function recordsOf(path: string): string[] {
  const rests = new Map<string, string>();
  const texts: string[] = [];
  for (const line of readFileSync(path, 'latin1').split('\n')) {
    const [, stream = '', tag, content = ''] = /^\S+ (stdout|stderr) ([PF]) ([^]*)$/.exec(line) ?? [];
    if (tag === undefined) continue;
    const text = (rests.get(stream) ?? '') + content;
    rests.set(stream, tag === 'P' ? text : '');
    if (tag === 'F') texts.push(text);
  }
  texts.push(...rests.values());
  return texts.flatMap((text) => {
    const json = text.trimEnd();
    try {
      const { time, traceId } = JSON.parse(json) as { time?: unknown; traceId?: unknown };
      if (typeof traceId !== 'string' || traceId === '' || typeof time !== 'string') return [];
      const [, seconds, fraction = '', zone] =
        /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(time) ?? [];
      if (seconds === undefined) return [];
      const unixNano = `${Date.parse(`${seconds}${zone}`) / 1_000}${fraction.padEnd(9, '0')}`;
      return [`logs/${traceId}/${unixNano}/ ${json}`];
    } catch {
      return [];
    }
  });
}

describe('a pod', () => {
  it('whose log conmon wrote has its 47 records in etcd, byte for byte', async () => {
    const node = await testNode(etcd());
    const directory = join(addPod(node, 'sample-0'), 'app');
    mkdirSync(directory, { recursive: true });
    copyFileSync(sample, join(directory, '0.log'));
    const agent = await node.startAgent();
    await untilStored(etcd(), 46);
    // The last record has no line end: it is complete when its container is.
    node.api.deletePod('demo-system', 'sample-0');
    rmSync(directory, { recursive: true });
    await untilStored(etcd(), 47);
    expect((await agent.stop()).code).toBe(0);

    const stored = (await allStored(etcd())).map(({ key, value }) => {
      const text = value.toString('latin1').replace(/,"kubernetes":\{[^{}]*\}\}$/, '}');
      return `${key.replace(/[^/]+$/, '')} ${text}`;
    });
    const expected = recordsOf(sample);
    expect(expected.length).toBe(47);
    expect(stored.toSorted()).toEqual(expected.toSorted());
    expect(agent.stopped).toMatchObject({
      records: 47,
      skipped: { not_json: 3, not_object: 1, no_trace_id: 1, no_time: 1, bad_time: 1, too_long: 0 },
    });
    expect(agent.complaints).toEqual([]);
  });

  it('has all its containers followed, those that init it and those that come later too', async () => {
    const node = await testNode(etcd());
    const pod = addPod(node, 'many-0');
    const written = writeRecords(join(pod, 'init', '0.log'), 3);
    written.push(...writeRecords(join(pod, 'app', '0.log'), 3));
    const agent = await node.startAgent();
    await untilStored(etcd(), written.length);
    written.push(...writeRecords(join(pod, 'app', '1.log'), 3));
    written.push(...writeRecords(join(pod, 'debugger-x7k2p', '0.log'), 3));
    written.push(...writeRecords(join(pod, 'app', '0.log'), 1));
    await untilStored(etcd(), written.length);
    expect(await storedTexts()).toEqual(written.toSorted());
    const places = (await allStored(etcd())).map(
      ({ value }) => /"pod":"many-0","container":"([^"]*)"/.exec(value.toString())?.[1],
    );
    expect(new Set(places)).toEqual(new Set(['init', 'app', 'debugger-x7k2p']));
    expect(await agent.metric('containers')).toBe(3);
    expect(agent.complaints).toEqual([]);
  });

  it.each(['the API tells it first', 'its files are there first'])(
    'is followed within a second of its files: %s',
    async (order) => {
      const node = await testNode(etcd());
      const agent = await node.startAgent({ BATCH_PERIOD: '20ms' });
      await agent.ready();
      for (let n = 0; n < 3; n++) {
        const uid = crypto.randomUUID();
        const tell = () => node.api.addPod({ namespace: 'demo-system', name: `new-${n}`, uid, labels });
        if (order === 'the API tells it first') tell();
        const begun = performance.now();
        writeRecords(join(node.podLogDir, `demo-system_new-${n}_${uid}`, 'app', '0.log'), 1);
        if (order !== 'the API tells it first') tell();
        await untilStored(etcd(), n + 1);
        expect(performance.now() - begun).toBeLessThan(1_000);
      }
      expect(agent.complaints).toEqual([]);
    },
  );

  it('that is deleted is drained and let go: forgotten by the offsets, no descriptor left', async () => {
    const node = await testNode(etcd());
    const written: string[] = [];
    const agent = await node.startAgent();
    await agent.ready();
    // Without the sockets: how many connections lie idle in a pool is chance.
    // Connections of scrapes come and go.
    const open = (): string[] => agent.descriptors().filter((path) => !path.startsWith('socket:'));
    let descriptors: number | undefined;
    for (let round = 0; round < 3; round++) {
      const pods = ['a', 'b', 'c'].map((name) => addPod(node, `gone-${name}`));
      for (const pod of pods) written.push(...writeRecords(join(pod, 'app', '0.log'), 20));
      await untilStored(etcd(), written.length);
      await until(() => rememberedContainers(node)?.length === 3, {
        what: 'three containers in the offsets',
      });
      // The last words, of the very moment in which the directory goes.
      for (const pod of pods) written.push(...writeRecords(join(pod, 'app', '0.log'), 5));
      await until(async () => (await agent.metric('lines_read_total')) === written.length, {
        what: 'the last lines read',
      });
      for (const pod of pods) rmSync(pod, { recursive: true });
      for (const name of ['a', 'b', 'c']) node.api.deletePod('demo-system', `gone-${name}`);
      await untilLetGo(agent, node);
      await untilStored(etcd(), written.length);
      descriptors ??= open().length;
    }
    // Those of a moment too: a file of /proc for a scrape, the offsets while they are saved.
    await until(() => open().length <= descriptors!, { what: `no more than ${descriptors} descriptors` });
    expect(await storedTexts()).toEqual(written.toSorted());
    expect(agent.complaints).toEqual([]);
  });

  it('whose files go has what was read of them stored at once, whatever BATCH_PERIOD is', async () => {
    const node = await testNode(etcd());
    const directory = join(addPod(node, 'brief-0'), 'app');
    const written = writeRecords(join(directory, '0.log'), 5);
    const agent = await node.startAgent({ BATCH_PERIOD: '1h' });
    await until(async () => (await agent.metric('lines_read_total')) === 5, { what: 'the lines read' });
    expect(await countStored(etcd())).toBe(0);
    // From now on a crash would lose them: nothing else has them.
    rmSync(directory, { recursive: true });
    await untilStored(etcd(), 5, 2_000);
    await agent.kill();
    expect(await storedTexts()).toEqual(written.toSorted());
  });

  it('that loses its label is drained up to that point; with the label again it goes on there', async () => {
    const node = await testNode(etcd());
    const pod = addPod(node, 'moody-0');
    const path = join(pod, 'app', '0.log');
    const written = writeRecords(path, 10);
    const agent = await node.startAgent();
    await untilStored(etcd(), 10);
    node.api.updatePod({ namespace: 'demo-system', name: 'moody-0', labels: { app: 'other' } });
    await untilLetGo(agent, node, { files: 'stay' });
    const meanwhile = writeRecords(path, 10);
    node.api.updatePod({ namespace: 'demo-system', name: 'moody-0', labels });
    await untilStored(etcd(), 20);
    expect(await storedTexts()).toEqual([...written, ...meanwhile].toSorted());
    expect(agent.complaints).toEqual([]);
  });

  it('has its containers chosen by name, by settings and by its own annotation, which may change', async () => {
    const node = await testNode(etcd());
    const annotations = { 'frostbeat.io/exclude': 'app-debug' };
    const { uid } = node.api.addPod({
      namespace: 'demo-system',
      name: 'web-0',
      labels,
      annotations,
    }).metadata;
    const log = (name: string) => join(node.podLogDir, `demo-system_web-0_${uid}`, name, '0.log');
    const written = [...writeRecords(log('app'), 5), ...writeRecords(log('app-2'), 5)];
    for (const name of ['app-proxy', 'app-debug', 'side']) writeRecords(log(name), 5);
    const agent = await node.startAgent({ CONTAINERS: 'app*,side-*', EXCLUDE_CONTAINERS: '*-proxy' });
    await untilStored(etcd(), 10);
    await until(async () => (await agent.metric('containers_held')) === 0, { what: 'the others let go' });
    expect(await storedTexts()).toEqual(written.toSorted());
    node.api.updatePod({
      namespace: 'demo-system',
      name: 'web-0',
      labels,
      annotations: { 'frostbeat.io/exclude': 'false' },
    });
    await untilStored(etcd(), 15);
    node.api.updatePod({
      namespace: 'demo-system',
      name: 'web-0',
      labels,
      annotations: { 'frostbeat.io/exclude': 'true' },
    });
    await untilLetGo(agent, node, { files: 'stay' });
    writeRecords(log('app'), 5);
    await agent.stop();
    expect(await countStored(etcd())).toBe(15);
  });

  it('that is static is found by the uid of its annotation', async () => {
    const node = await testNode(etcd());
    const annotations = {
      'kubernetes.io/config.mirror': 'static-uid',
      'kubernetes.io/config.hash': 'static-uid',
    };
    node.api.addPod({ namespace: 'demo-system', name: 'static-node-1', labels, annotations });
    const written = writeRecords(
      join(node.podLogDir, 'demo-system_static-node-1_static-uid', 'app', '0.log'),
      5,
    );
    await node.startAgent();
    await untilStored(etcd(), 5);
    expect(await storedTexts()).toEqual(written.toSorted());
  });
});

async function storedTexts(): Promise<string[]> {
  expect(await countStored(etcd())).toBeGreaterThan(0);
  return (await allStored(etcd())).map(({ value }) => ownText(value)).toSorted();
}

async function untilLetGo(agent: RunningAgent, node: TestNode, { files = 'go' } = {}): Promise<void> {
  const open = () =>
    agent.descriptors().filter((path) => path.startsWith(node.podLogDir) && path.includes('.log'));
  await until(() => open().length === 0, { timeoutMs: 20_000, what: 'no log file open' });
  await until(async () => (await agent.metric('containers')) === 0, {
    timeoutMs: 20_000,
    what: 'no container',
  });
  if (files === 'go') {
    await until(() => rememberedContainers(node)?.length === 0, {
      what: 'offsets that forgot the containers',
    });
  }
}
