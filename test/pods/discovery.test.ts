import { appendFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/ops/metrics.ts';
import { loadApiAccess } from '../../src/pods/api-access.ts';
import { containerTarget, podTarget } from '../../src/pods/log-path.ts';
import { PodLogManager } from '../../src/pods/pod-log-manager.ts';
import { openPodWatch } from '../../src/pods/pod-watch.ts';
import type { ContainerTarget, PodSource } from '../../src/pods/targets.ts';
import { FakeTails } from '../support/fake-tail.ts';
import { KubeApi } from '../support/kube-api/kube-api.ts';
import { until } from '../support/until.ts';

// The pod watch and the manager together, as the agent joins them.

let home: string;
let podLogDir: string;
let api: KubeApi;
let tails: FakeTails;
let forgotten: string[];
let stop: AbortController;
let running: Promise<unknown>;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'discovery-'));
  podLogDir = join(home, 'pods');
  await mkdir(podLogDir);
  api = await KubeApi.start({ bookmarkMs: 1_000 });
  tails = new FakeTails();
  forgotten = [];
  stop = new AbortController();
});

afterEach(async () => {
  stop.abort();
  await running;
  await api.close();
  await rm(home, { recursive: true, force: true });
});

interface Word {
  readonly level: number;
  readonly directories?: readonly string[];
}

async function start(
  remembered: readonly ContainerTarget[] = [],
): Promise<{ source: PodSource; manager: PodLogManager; words: Word[] }> {
  const metrics = createMetrics();
  const words: Word[] = [];
  const log = pino({}, { write: (line: string) => void words.push(JSON.parse(line) as Word) });
  const access = await loadApiAccess({ env: { KUBECONFIG: await api.kubeconfig(join(home, 'config')) } });
  const source = await openPodWatch({
    nodeName: 'node-1',
    namespaces: ['demo'],
    selector: 'app=web',
    podLogDir,
    log,
    metrics,
    access,
  });
  const manager = new PodLogManager({
    podLogDir,
    makeTail: tails.make,
    log,
    metrics,
    remembered,
    onForgotten: ({ pod }) => forgotten.push(pod),
    holds: ({ namespace }) => namespace === 'demo',
    source,
    timing: { settleMs: 500 },
  });
  await manager.open();
  running = Promise.all([source.run(manager, stop.signal), manager.run(stop.signal)]);
  return { source, manager, words };
}

const pod = (name: string, labels = { app: 'web' }) => ({
  namespace: 'demo',
  name,
  uid: `u-${name}`,
  labels,
});
const target = (name: string) => podTarget(podLogDir, { namespace: 'demo', pod: name, uid: `u-${name}` });

async function write(name: string): Promise<void> {
  const directory = join(target(name).directory, 'main');
  await mkdir(directory, { recursive: true });
  await appendFile(join(directory, '0.log'), 'a line\n');
}

async function untilFollowing(names: readonly string[], timeoutMs = 1_000): Promise<void> {
  const wanted = names.map((name) => `${name}/main`).join();
  await until(() => tails.following.join() === wanted, { what: `tails of ${wanted}`, timeoutMs });
}

async function untilWatching(): Promise<void> {
  await until(() => api.openWatches === 1, { what: 'an open watch' });
}

describe('discovery', () => {
  it('follows a pod that appears while the watch hangs, once its directory is seen', async () => {
    await start();
    await untilWatching();
    api.silenceWatches();
    // Only a pod that is not selected, then one that is: the watch is opened again for each, and no list.
    await write('stranger');
    api.addPod(pod('stranger', { app: 'other' }));
    api.addPod(pod('a'));
    await sleep(200);
    await write('a');
    await untilFollowing(['a'], 5_000);
    expect(api.count('list')).toBe(1);
    expect(api.count('watch')).toBeLessThanOrEqual(3);
  });

  it('takes in a pod that came and went during an outage, while its directory is there', async () => {
    await start();
    await untilWatching();
    api.break({ kind: 'refuse', status: 503 });
    api.dropConnections();
    api.addPod(pod('brief'));
    await write('brief');
    api.deletePod('demo', 'brief');
    await sleep(500);
    api.heal();
    await untilFollowing(['brief'], 3_000);
    await rm(target('brief').directory, { recursive: true });
    await until(() => forgotten.length === 1, { what: 'the pod let go' });
    expect(forgotten).toEqual(['brief']);
  });

  it('goes on with remembered pods while the API is down, and holds the others until it answers', async () => {
    await write('known');
    await write('new');
    await write('stranger');
    await write('deleted');
    api.addPod(pod('known'));
    api.addPod(pod('new'));
    api.addPod(pod('stranger', { app: 'other' }));
    api.break({ kind: 'hang' });
    const remembered = ['known', 'deleted'].map((name) => containerTarget(target(name), 'main'));
    const { source } = await start(remembered);
    await untilFollowing(['deleted', 'known']);
    await sleep(1_500);
    expect(tails.following).toEqual(['deleted/main', 'known/main']);
    expect(tails.holding).toEqual(['new/main', 'stranger/main']);
    expect(source.notReady).toContain('no list of the pods in namespace demo yet');
    api.heal();
    await untilFollowing(['known', 'new'], 3_000);
    expect(forgotten).toEqual(['deleted']);
    expect(source.notReady).toBeUndefined();
    await until(() => tails.holding.length === 0, { what: 'the stranger let go' });
    expect(tails.following).toEqual(['known/main', 'new/main']);
  });

  it('reads a pod whose directory is gone when the API tells of it at last, and lets strangers go', async () => {
    api.break({ kind: 'refuse', status: 503 });
    await write('a');
    await write('stranger');
    await start();
    api.addPod(pod('a'));
    api.addPod(pod('stranger', { app: 'other' }));
    await until(() => tails.holding.length === 2, { what: 'both held' });
    await rm(target('a').directory, { recursive: true });
    await rm(target('stranger').directory, { recursive: true });
    await sleep(1_000);
    expect(tails.holding).toEqual(['a/main', 'stranger/main']);
    api.heal();
    await untilFollowing(['a'], 3_000);
    await until(() => tails.holding.length === 0, { what: 'the stranger let go', timeoutMs: 5_000 });
  });

  it('holds nothing for long where the API is well, and asks no list for it', async () => {
    await start();
    await untilWatching();
    for (let n = 0; n < 5; n++) {
      api.addPod(pod(`stranger-${n}`, { app: 'other' }));
      await write(`stranger-${n}`);
      await sleep(300);
    }
    await until(() => tails.all.length === 5 && tails.holding.length === 0, {
      what: 'all let go',
      timeoutMs: 10_000,
    });
    expect(api.count('list')).toBe(1);
    expect(api.count('watch')).toBeLessThanOrEqual(4);
  });

  it('holds what appears while watches are answered and then say nothing, until they do', async () => {
    await start();
    await untilWatching();
    api.break({ kind: 'silent' });
    api.silenceWatches();
    api.addPod(pod('a'));
    await write('a');
    await until(() => tails.holding.length === 1, { what: 'it held' });
    await rm(target('a').directory, { recursive: true });
    await until(() => api.count('watch') > 1, { what: 'a new watch', timeoutMs: 5_000 });
    await sleep(2_000);
    expect(tails.holding).toEqual(['a/main']);
    api.heal();
    api.endWatches();
    await untilFollowing(['a'], 3_000);
    expect(api.count('list')).toBe(1);
  });

  it('holds what is unknown through a watch that hangs, and tells what came and went over a list', async () => {
    const { words } = await start();
    await untilWatching();
    api.break({ kind: 'hang' });
    api.dropConnections();
    for (const name of ['a', 'brief', 'stranger']) {
      api.addPod(pod(name, { app: name === 'stranger' ? 'other' : 'web' }));
      await write(name);
    }
    await until(() => tails.holding.length === 3, { what: 'all held' });
    api.deletePod('demo', 'brief');
    await rm(target('brief').directory, { recursive: true });
    await sleep(1_000);
    // The history that would tell of the brief one is gone.
    api.compact();
    api.heal();
    await untilFollowing(['a'], 4_000);
    await until(() => tails.holding.length === 0, { what: 'the others let go', timeoutMs: 5_000 });
    expect(words.filter(({ directories }) => directories !== undefined)).toMatchObject([
      { directories: ['demo_brief_u-brief'] },
    ]);
  });

  it('asks nothing of the API in quiet times', async () => {
    await write('stranger');
    await write('a');
    api.addPod(pod('stranger', { app: 'other' }));
    api.addPod(pod('a'));
    const { words } = await start();
    await untilFollowing(['a'], 2_000);
    await untilWatching();
    await sleep(3_000);
    expect(api.requests.map(({ verb }) => verb)).toEqual(['list', 'watch']);
    expect(words.filter(({ directories }) => directories !== undefined)).toEqual([]);
  });
});
