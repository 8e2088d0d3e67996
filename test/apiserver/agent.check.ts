import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { writeRecords } from '../integration/node.ts';
import { type RunningAgent, startAgent } from '../support/agent-process.ts';
import { freePorts } from '../support/free-ports.ts';
import { frostbeat } from '../support/frostbeat.ts';
import { until } from '../support/until.ts';
import { BUILD_LIMIT_MS, findKubeApiserver } from './build-apiserver.ts';
import { type KubeApiserver, startKubeApiserver } from './kube-apiserver.ts';

let api: KubeApiserver;
beforeAll(async () => {
  api = await startKubeApiserver(await findKubeApiserver());
  for (const name of ['demo-system', 'shop', 'other']) await api.kubectl(['create', 'namespace', name]);
  await api.kubectl(['create', 'namespace', 'frostbeat']);
}, BUILD_LIMIT_MS);
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  await api.kubectl(['apply', '--server-side', '--force-conflicts', '-f', 'deploy/install.yaml']);
  await api.kubectl(['delete', 'pods', '--all', '--all-namespaces', '--force', '--grace-period=0']);
});

/** A node of one agent, which has the account and the rights of install.yaml. */
async function node() {
  const directory = mkdtempSync(join(tmpdir(), 'frostbeat-apiserver-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const token = await api.kubectl(['-n', 'frostbeat', 'create', 'token', 'frostbeat']);
  const [port] = await freePorts(1);
  const env = {
    NODE_NAME: 'node-1',
    HTTP_PORT: String(port),
    POD_LOG_DIR: join(directory, 'pods'),
    STATE_DIR: join(directory, 'state'),
    KUBECONFIG: await api.kubeconfig(join(directory, 'kubeconfig'), token.trim()),
    WRITERS: 'file',
    BATCH_PERIOD: '100ms',
  };
  const written: string[] = [];
  return {
    written,
    /** What a command of the command line says, on that node. */
    say: async (...args: string[]): Promise<string> => (await frostbeat(args, { env }).ended()).stdout,
    start: async (more: Readonly<Record<string, string>> = {}): Promise<RunningAgent> =>
      await startAgent({ ...env, ...more }, { cwd: directory }),
    /** Makes a pod that wants to be collected, or not, and has it write three records. */
    pod: async (
      name: string,
      { namespace = 'demo-system', app = 'snowplow', nodeName = 'node-1', wanted = true } = {},
    ): Promise<void> => {
      const manifest = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace, labels: { app } },
        spec: { nodeName, containers: [{ name: 'app', image: 'any' }] },
      };
      const made = await api.kubectl(['create', '-o', 'json', '-f', '-'], JSON.stringify(manifest));
      const { uid } = (JSON.parse(made) as { metadata: { uid: string } }).metadata;
      const path = join(directory, 'pods', `${namespace}_${name}_${uid}`, 'app', '0.log');
      const records = writeRecords(path, 3, name);
      if (wanted) written.push(...records);
    },
    /** How far the watches had heard, as it is kept for the next run. */
    versions: (): string => textOf(join(directory, 'state/pod-versions.json')),
    /** How many records are stored; each must be one that was written, and there once. */
    stored: (): number => {
      const lines = textOf(join(directory, 'state/records.ndjson')).split('\n').slice(0, -1);
      const own = lines.map((line) => (JSON.parse(line) as { log: { n: number } }).log.n);
      const wanted = new Set(written.map((text) => (JSON.parse(text) as { n: number }).n));
      expect(own).toEqual([...new Set(own)]);
      expect(own.filter((n) => !wanted.has(n))).toEqual([]);
      return own.length;
    },
  };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** How often pods were listed and watched, by whoever; a watch is counted when it ends. */
async function requests(verb: 'LIST' | 'WATCH'): Promise<number> {
  const lines = (await api.metrics()).matchAll(
    /^apiserver_request_total\{[^}]*resource="pods"[^}]*verb="(\w+)"[^}]*\} (\d+)$/gm,
  );
  return [...lines].filter(([, of]) => of === verb).reduce((sum, [, , count]) => sum + Number(count), 0);
}

test("pods that are there, come, gain the label and go: each record of this node's selected pods once", async () => {
  const { pod, start, stored, written } = await node();
  await pod('there');
  await pod('elsewhere', { nodeName: 'node-2', wanted: false });
  await pod('unselected', { app: 'other', wanted: false });
  const agent = await start();
  await agent.ready();
  await pod('new');
  await until(() => stored() === written.length, { timeoutMs: 10_000, what: 'the records of two pods' });
  await pod('relabelled', { app: 'other' });
  await api.kubectl(['-n', 'demo-system', 'label', 'pod', 'relabelled', 'app=snowplow', '--overwrite']);
  await until(() => stored() === written.length, { timeoutMs: 10_000, what: 'those of the third' });
  await api.kubectl(['-n', 'demo-system', 'delete', 'pod', 'new', '--force', '--grace-period=0']);
  await until(async () => (await agent.metric('pods')) === 2, {
    timeoutMs: 20_000,
    what: 'a pod that is let go',
  });
  expect(agent.complaints).toEqual([]);
  expect((await agent.stop()).code).toBe(0);
});

test('a quiet agent asks for one list and one watch', async () => {
  const { pod, start, stored, written } = await node();
  await pod('quiet');
  const [lists, watches] = [await requests('LIST'), await requests('WATCH')];
  const agent = await start();
  await until(() => stored() === written.length, { timeoutMs: 10_000, what: 'its records' });
  expect(await agent.metric('pod_lists_total')).toBe(1);
  expect(await agent.metric('pod_watch_starts_total')).toBe(1);
  expect((await agent.stop()).code).toBe(0);
  await until(async () => (await requests('WATCH')) > watches, { what: 'the watch that has ended' });
  expect([(await requests('LIST')) - lists, (await requests('WATCH')) - watches]).toEqual([1, 1]);
});

test('an API server that crashes and comes back: a pod that came meanwhile is followed', async () => {
  const { pod, start, stored, written } = await node();
  await pod('before');
  const agent = await start();
  await until(() => stored() === written.length, { timeoutMs: 10_000, what: 'the records of the first' });
  await api.kill();
  await until(() => agent.complaints.some((text) => text.startsWith('warn')), {
    timeoutMs: 20_000,
    what: 'a word of it',
  });
  await api.start();
  await pod('after');
  await until(() => stored() === written.length, { timeoutMs: 15_000, what: 'the records of the second' });
  expect((await agent.stop()).code).toBe(0);
});

test('pods that come and are deleted while no agent is there are read by the next, and others are not', async () => {
  const { pod, start, stored, written } = await node();
  await pod('before');
  const first = await start();
  await until(() => stored() === written.length, { timeoutMs: 10_000, what: 'the records of the first' });
  expect((await first.stop()).code).toBe(0);
  await pod('forced');
  await pod('graceful');
  await pod('unselected', { app: 'other', wanted: false });
  await pod('relabelled', { wanted: false });
  await api.kubectl(['-n', 'demo-system', 'label', 'pod', 'relabelled', 'app=other', '--overwrite']);
  // As a user does, and then the kubelet, once the pod's containers have ended.
  await api.kubectl(['-n', 'demo-system', 'delete', 'pod', 'graceful', '--wait=false']);
  for (const name of ['forced', 'graceful', 'unselected', 'relabelled'])
    await api.kubectl(['-n', 'demo-system', 'delete', 'pod', name, '--force', '--grace-period=0']);
  const second = await start();
  await until(() => stored() === written.length, { timeoutMs: 10_000, what: 'the records of those gone' });
  expect(second.complaints).toEqual([]);
  expect((await second.stop()).code).toBe(0);
  expect(stored()).toBe(written.length);
});

test.each([
  ['several namespaces', { NAMESPACE: 'demo-system,shop', SELECTOR: 'app in (snowplow,rain),!skip' }, false],
  ['all namespaces', { NAMESPACE: '*', SELECTOR: '' }, true],
])('%s are followed', async (_, more, others) => {
  const { pod, start, stored, written } = await node();
  await pod('first');
  await pod('second', { namespace: 'shop', app: 'rain' });
  await pod('third', { namespace: 'other', wanted: others });
  const agent = await start(more);
  await until(() => stored() === written.length, { timeoutMs: 10_000, what: 'their records' });
  await pod('late', { namespace: 'shop' });
  await until(() => stored() === written.length, { timeoutMs: 10_000, what: 'those of a later one' });
  expect((await agent.stop()).code).toBe(0);
  expect(agent.complaints).toEqual([]);
});

test('a pod that came and went while no agent ran is told by the next watch, and what it left is stored', async () => {
  const { pod, start, stored, written, versions } = await node();
  await pod('before');
  const first = await start();
  await until(() => stored() === written.length, { timeoutMs: 10_000, what: 'the records of the first' });
  await until(() => versions() !== '', { timeoutMs: 10_000, what: 'the version that is kept' });
  expect((await first.stop()).code).toBe(0);
  await pod('between');
  await api.kubectl(['-n', 'demo-system', 'delete', 'pod', 'between', '--force', '--grace-period=0']);
  const second = await start();
  await until(() => stored() === written.length, { timeoutMs: 20_000, what: 'those of the other' });
  expect((await second.stop()).code).toBe(0);
  expect(second.complaints).toEqual([]);
});

test('without its rights it says which are missing, and goes on when it has them', async () => {
  const { pod, start, stored, written } = await node();
  await pod('later');
  await api.kubectl(['delete', 'clusterrolebinding', 'frostbeat']);
  const agent = await start();
  await until(() => agent.complaints.length > 0, { timeoutMs: 20_000, what: 'a word of it' });
  expect(agent.complaints[0]).toContain('the verbs list and watch on pods in namespace demo-system');
  expect((await agent.readiness()).ok).toBe(false);
  await api.kubectl(['apply', '--server-side', '-f', 'deploy/install.yaml']);
  await until(() => stored() === written.length, { timeoutMs: 40_000, what: 'its records' });
  expect((await agent.stop()).code).toBe(0);
});

test('doctor and explain ask it what the account may do, and which rule a pod meets', async () => {
  const { pod, start, say, stored, written } = await node();
  await pod('seen');
  await pod('unseen', { app: 'other', wanted: false });
  const agent = await start();
  await until(() => stored() === written.length, { timeoutMs: 10_000, what: 'its records' });
  const well = await say('doctor');
  expect(well).toMatch(/^ok +permissions +list and watch pods in namespace demo-system$/m);
  expect(well).toMatch(/^ok +clock +that of the API server$/m);
  expect(well).toContain('All is well');
  expect(await say('explain', 'seen')).toContain('app=snowplow');
  expect(await say('explain', 'unseen')).toContain('app=other');

  await api.kubectl(['delete', 'clusterrolebinding', 'frostbeat']);
  expect(await say('doctor')).toContain('the account may not list pods in namespace demo-system');
  expect((await agent.stop()).code).toBe(0);
});
