import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createMetrics } from '../../src/ops/metrics.ts';
import { loadApiAccess } from '../../src/pods/api-access.ts';
import { defaultTiming, type ListWatchTiming } from '../../src/pods/list-watch-timing.ts';
import { openPodWatch } from '../../src/pods/pod-watch.ts';
import type { PodSource } from '../../src/pods/targets.ts';
import { KubeApi, type KubeApiOptions } from '../support/kube-api/kube-api.ts';
import { RecordingListener } from '../support/recording-listener.ts';
import { until } from '../support/until.ts';

const web = { app: 'web' };
const podLogDir = '/var/log/pods';

let directory: string;
let api: KubeApi;
let stop: AbortController;
let running: Promise<void>;
let logLines: { level: number; msg: string }[];
let listener: RecordingListener;
let metrics: ReturnType<typeof createMetrics>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pod-watch-'));
  stop = new AbortController();
  running = Promise.resolve();
  logLines = [];
  listener = new RecordingListener();
  metrics = createMetrics();
});

afterEach(async () => {
  stop.abort();
  await running;
  await api.close();
  await rm(directory, { recursive: true });
});

interface StartOptions {
  readonly namespaces?: readonly string[] | undefined;
  readonly selector?: string;
  readonly timing?: Partial<ListWatchTiming>;
  readonly startJitterMs?: number;
  readonly random?: () => number;
}

async function start({
  selector = 'app=web',
  timing = {},
  startJitterMs = 0,
  random = Math.random,
  ...rest
}: StartOptions = {}): Promise<PodSource> {
  const access = await loadApiAccess({
    env: { KUBECONFIG: await api.kubeconfig(join(directory, 'config')) },
  });
  const log = pino({ level: 'info' }, { write: (line: string) => void logLines.push(JSON.parse(line)) });
  const source = await openPodWatch({
    nodeName: 'node-1',
    namespaces: 'namespaces' in rest ? rest.namespaces : ['demo'],
    selector,
    podLogDir,
    log,
    metrics,
    access,
    timing,
    startJitterMs,
    random,
    versionsPath: versionsPath(),
  });
  running = source.run(listener, stop.signal);
  return source;
}

const versionsPath = () => join(directory, 'pod-versions.json');

async function startApi(options?: KubeApiOptions): Promise<void> {
  api = await KubeApi.start(options);
}

const pod = (name: string, more: object = {}) => ({
  namespace: 'demo',
  name,
  node: 'node-1',
  labels: web,
  ...more,
});

/** Waits for the pods to be told, and no others; returns their names. */
async function untilNames(names: string[], timeoutMs = 5_000): Promise<string[]> {
  await until(() => listener.names.join() === names.join(), {
    what: `the pods ${names.join()}`,
    timeoutMs,
  }).catch((cause: unknown) => {
    throw new Error(`Told are ${listener.names.join()}`, { cause });
  });
  return listener.names;
}

async function untilWatching(): Promise<void> {
  await until(() => api.openWatches > 0, { what: 'an open watch' });
}

/** All times are a thousandth of the real ones. */
function thousandth(timing: ListWatchTiming): ListWatchTiming {
  const entries = Object.entries<number>({ ...timing }).map(([name, ms]) => [name, ms / 1_000] as const);
  return { ...timing, ...Object.fromEntries(entries) };
}

function failOnce(method: 'added' | 'removed'): void {
  vi.spyOn(listener, method).mockImplementationOnce(() => {
    throw new Error('for the test');
  });
}

/** A run of the agent that has heard of what is there, and is over. */
async function runOnce(options: StartOptions = {}): Promise<void> {
  api.addPod(pod('a'));
  await start(options);
  await untilWatching();
  stop.abort();
  await running;
  stop = new AbortController();
  listener = new RecordingListener();
}

/** Pods that come and go, and one that comes, with nobody there. */
function meanwhile(): void {
  api.addPod(pod('brief'));
  api.updatePod(pod('brief', { annotations: { some: 'thing' } }));
  api.addPod(pod('quiet', { annotations: { 'frostbeat.io/exclude': 'true' } }));
  api.addPod(pod('moody'));
  api.updatePod(pod('moody', { labels: { app: 'other' } }));
  api.addPod(pod('new'));
  for (const name of ['brief', 'quiet', 'a']) api.deletePod('demo', name);
}

describe('what is told', () => {
  it('tells the pods of its node, namespace and selector, those there and those that come and go', async () => {
    await startApi();
    api.addPod(pod('a', { uid: 'uid-a' }));
    api.addPod(pod('other-node', { node: 'node-2' }));
    api.addPod(pod('other-label', { labels: { app: 'db' } }));
    api.addPod(pod('other-namespace', { namespace: 'else' }));
    const source = await start();
    expect(source.notReady).toContain('no list of the pods in namespace demo yet');
    await untilNames(['a']);
    expect(source.notReady).toBeUndefined();
    expect(listener.syncs).toBe(1);
    expect([...listener.pods.values()]).toEqual([
      { namespace: 'demo', pod: 'a', uid: 'uid-a', directory: '/var/log/pods/demo_a_uid-a' },
    ]);
    await untilWatching();
    api.addPod(pod('b'));
    api.addPod(pod('c', { labels: { app: 'db' } }));
    await untilNames(['a', 'b']);
    api.deletePod('demo', 'a');
    await untilNames(['b']);
    expect(listener.events).toEqual(['added a', 'added b', 'removed a deleted']);
  });

  it('asks for one list from the cache and one watch with bookmarks, of metadata only', async () => {
    await startApi({ bookmarkMs: 50 });
    api.addPod(pod('a'));
    await start();
    await untilWatching();
    api.store.advance(100);
    await until(() => api.openWatches === 1, { what: 'the watch' });
    expect(api.requests.map(({ verb }) => verb)).toEqual(['list', 'watch']);
    const [list, watch] = api.requests;
    expect(list?.query).toMatchObject({
      fieldSelector: 'spec.nodeName=node-1',
      labelSelector: 'app=web',
      resourceVersion: '0',
    });
    expect(list?.headers.accept).toContain('PartialObjectMetadataList');
    expect(watch?.query).toMatchObject({
      allowWatchBookmarks: 'true',
      fieldSelector: 'spec.nodeName=node-1',
    });
    expect(Number(watch?.query['timeoutSeconds'])).toBeGreaterThanOrEqual(3_600);
  });

  it('goes on from the version of the last bookmark', async () => {
    await startApi({ bookmarkMs: 20 });
    await start();
    await untilWatching();
    api.store.advance(500);
    const version = String(api.store.version);
    const sent = api.bookmarks;
    await until(() => api.bookmarks > sent, { what: 'a bookmark' });
    api.endWatches();
    await until(() => api.count('watch') === 2, { what: 'the second watch' });
    expect(api.requests.at(-1)?.query['resourceVersion']).toBe(version);
    expect(api.count('list')).toBe(1);
  });

  it('tells a pod that loses and regains its label, and one made anew under the same name', async () => {
    await startApi();
    api.addPod(pod('a', { uid: 'one' }));
    await start();
    await untilWatching();
    api.updatePod(pod('a', { labels: { app: 'no' } }));
    await untilNames([]);
    api.updatePod(pod('a'));
    await untilNames(['a']);
    expect(listener.events).toEqual(['added a', 'removed a released', 'added a']);
    api.deletePod('demo', 'a');
    api.addPod(pod('a', { uid: 'two' }));
    await until(() => listener.pods.has('/var/log/pods/demo_a_two'), { what: 'the second pod' });
    expect(listener.names).toEqual(['a']);
  });

  it('tells that a pod was made anew while the watch was down, by its uid', async () => {
    await startApi();
    api.addPod(pod('a', { uid: 'one' }));
    await start();
    await untilWatching();
    api.break({ kind: 'refuse', status: 503 });
    api.dropConnections();
    api.deletePod('demo', 'a');
    api.addPod(pod('a', { uid: 'two' }));
    api.compact();
    api.heal();
    await until(() => listener.pods.has('/var/log/pods/demo_a_two'), { what: 'the second pod' });
    expect([...listener.pods.keys()]).toEqual(['/var/log/pods/demo_a_two']);
  });

  it('names the directory of a static pod by the uid of its annotation', async () => {
    await startApi();
    const mirror = { 'kubernetes.io/config.mirror': 'mirror', 'kubernetes.io/config.hash': 'static-uid' };
    api.addPod(pod('etcd', { uid: 'api-uid', annotations: mirror }));
    await start();
    await untilNames(['etcd']);
    expect([...listener.pods.keys()]).toEqual(['/var/log/pods/demo_etcd_static-uid']);
    await untilWatching();
    // The kubelet makes the mirror anew: another uid, the same directory.
    api.deletePod('demo', 'etcd');
    api.addPod(pod('etcd', { uid: 'api-uid-2', annotations: mirror }));
    await until(() => listener.events.length === 3, { what: 'the new mirror' });
    expect([...listener.pods.keys()]).toEqual(['/var/log/pods/demo_etcd_static-uid']);
  });

  it('leaves out what the annotation frostbeat.io/exclude names', async () => {
    await startApi();
    api.addPod(pod('quiet', { annotations: { 'frostbeat.io/exclude': 'true' } }));
    api.addPod(pod('partly', { annotations: { 'frostbeat.io/exclude': 'istio-proxy, sidecar' } }));
    await start();
    await untilNames(['partly']);
    expect([...listener.pods.values()][0]?.excluded).toEqual(['istio-proxy', 'sidecar']);
    await untilWatching();
    api.updatePod(pod('partly', { annotations: { 'frostbeat.io/exclude': 'true' } }));
    api.updatePod(pod('quiet', { annotations: {} }));
    await untilNames(['quiet']);
  });

  it.each([
    ['tier in (front, back)', ['b', 'f']],
    ['tier notin (front)', ['b', 'n']],
    ['!tier', ['n']],
    ['tier', ['b', 'f']],
    ['app=web,tier!=front', ['b', 'n']],
    ['app==web,tier in (front)', ['f']],
    ['', ['b', 'f', 'n']],
  ])('selects by %j', async (selector, names) => {
    await startApi();
    api.addPod(pod('f', { labels: { app: 'web', tier: 'front' } }));
    api.addPod(pod('b', { labels: { app: 'web', tier: 'back' } }));
    api.addPod(pod('n'));
    await start({ selector });
    expect(await untilNames(names)).toEqual(names);
  });

  it('watches several namespaces, and all; it is ready when each is listed', async () => {
    await startApi();
    api.addPod(pod('a'));
    api.addPod(pod('b', { namespace: 'second' }));
    api.addPod(pod('c', { namespace: 'third' }));
    await start({ namespaces: ['demo', 'second'] });
    await untilNames(['a', 'b']);
    expect(listener.syncs).toBe(1);
    stop.abort();
    await running;
    stop = new AbortController();
    listener = new RecordingListener();
    await start({ namespaces: undefined });
    await untilNames(['a', 'b', 'c']);
    expect(api.requests.at(-1)?.path).toBe('/api/v1/pods');
  });

  it('sends the token of the kubeconfig', async () => {
    await startApi({ token: 'secret' });
    api.addPod(pod('a'));
    await start();
    expect(await untilNames(['a'])).toEqual(['a']);
  });
});

describe('after a while in which no agent was there', () => {
  it('what was deleted meanwhile is told, and nothing that the list has told', async () => {
    await startApi();
    await runOnce();
    meanwhile();
    await start();
    await until(() => listener.events.length === 5, { what: 'all that happened' });
    expect(listener.events).toEqual([
      'added new',
      'added brief',
      'removed brief deleted',
      'added a',
      'removed a deleted',
    ]);
    expect(api.requests.map(({ verb }) => verb)).toEqual(['list', 'watch', 'list', 'watch']);
    api.addPod(pod('later'));
    expect(await untilNames(['later', 'new'])).toEqual(['later', 'new']);
  });

  it('a pod whose label went and came again meanwhile stays told', async () => {
    await startApi();
    await runOnce();
    api.updatePod(pod('a', { labels: { app: 'other' } }));
    api.updatePod(pod('a'));
    await start();
    await untilWatching();
    api.addPod(pod('later'));
    await untilNames(['a', 'later']);
    expect(listener.events).toEqual(['added a', 'added later']);
  });

  it.each(['event', 'status'] as const)(
    'the list is gone on from where the history is gone, told by %s',
    async (by) => {
      await startApi();
      api.expiredBy = by;
      await runOnce();
      meanwhile();
      api.compact();
      await start();
      await untilWatching();
      api.addPod(pod('later'));
      expect(await untilNames(['later', 'new'])).toEqual(['later', 'new']);
      expect(api.requests.slice(2).map(({ verb }) => verb)).toEqual(['list', 'watch', 'watch']);
      expect(logLines.filter(({ level }) => level >= 40)).toEqual([]);
    },
  );

  it.each<[string, () => Promise<void>, StartOptions]>([
    ['another selector', () => Promise.resolve(), { selector: 'app in (web)' }],
    ['a damaged file', () => writeFile(versionsPath(), '{"http'), {}],
  ])('nothing is gone on from with %s', async (_, change, options) => {
    await startApi();
    await runOnce();
    await change();
    meanwhile();
    await start(options);
    await untilWatching();
    expect(api.requests.at(-1)?.query['resourceVersion']).toBe(String(api.store.version));
    expect(listener.events).toEqual(['added new']);
  });
});

describe('the load on the API', () => {
  it('is one list and one watch in an hour in which nothing happens, and one more watch in the next', async () => {
    await startApi({ bookmarkMs: 60 });
    api.addPod(pod('a'));
    // The patience with a slow machine is the real one.
    const { hedgeMs, answerMs } = defaultTiming;
    await start({ timing: { ...thousandth(defaultTiming), watchIdleMs: 1_000, hedgeMs, answerMs } });
    await untilWatching();
    await new Promise((resolve) => setTimeout(resolve, 3_300));
    expect(api.bookmarks).toBeGreaterThan(20);
    expect(api.requests.map(({ verb }) => verb)).toEqual(['list', 'watch']);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(api.requests.map(({ verb }) => verb)).toEqual(['list', 'watch', 'watch']);
  });

  it('is spread where many agents start at once', async () => {
    await startApi();
    const began = performance.now();
    await start({ startJitterMs: 1_000, random: () => 0.5 });
    await until(() => api.requests.length > 0, { what: 'the list' });
    expect(api.requests[0]!.at - began).toBeGreaterThan(495);
  });
});

describe('what goes wrong', () => {
  it.each(['event', 'status'] as const)('lists anew when the version has expired, told by %s', async (by) => {
    await startApi();
    api.expiredBy = by;
    api.addPod(pod('a'));
    api.addPod(pod('gone'));
    await start();
    await untilWatching();
    api.break({ kind: 'refuse', status: 503 }, 'watch');
    api.dropConnections();
    api.deletePod('demo', 'gone');
    api.addPod(pod('b'));
    api.compact();
    api.heal();
    await untilNames(['a', 'b']);
    expect(listener.syncs).toBe(2);
    // Not from the cache, which may be the one that was too old.
    expect(api.requests.findLast(({ verb }) => verb === 'list')?.query['resourceVersion']).toBeUndefined();
  });

  it('lists anew when an open watch says that its version has expired', async () => {
    await startApi();
    await start();
    await untilWatching();
    api.expireWatches();
    await until(() => listener.syncs === 2, { what: 'a second list' });
    api.addPod(pod('a'));
    expect(await untilNames(['a'])).toEqual(['a']);
  });

  it('lists anew when an open watch reports any other error', async () => {
    await startApi();
    await start();
    await untilWatching();
    api.failWatches(500, 'InternalError', 'etcdserver: request timed out');
    await until(() => listener.syncs === 2, { what: 'a second list' });
    api.addPod(pod('a'));
    expect(await untilNames(['a'])).toEqual(['a']);
  });

  it('goes on, and tells again, where who is told of a pod throws', async () => {
    await startApi();
    await start();
    await untilWatching();
    failOnce('added');
    api.addPod(pod('a'));
    expect(await untilNames(['a'])).toEqual(['a']);
    failOnce('removed');
    api.deletePod('demo', 'a');
    expect(await untilNames([])).toEqual([]);
    expect(api.count('list')).toBe(1);
  });

  it('lists anew now and then, whatever the watches say, with a version not older than it knows', async () => {
    await startApi({ watchTimeoutMs: 50 });
    await start({ timing: { relistMs: 200 } });
    await until(() => api.count('list') === 2, { what: 'the second list' });
    expect(api.requests.findLast(({ verb }) => verb === 'list')?.query).toMatchObject({
      resourceVersion: '1000',
      resourceVersionMatch: 'NotOlderThan',
    });
  });

  it('lists anew when the versions went back, as after a restored backup, though the watch hears nothing', async () => {
    await startApi();
    api.store.advance(1_000);
    await start({ timing: { watchIdleMs: 200 } });
    await untilWatching();
    const { port } = api;
    await api.close();
    await startApi({ port });
    api.addPod(pod('a'));
    expect(await untilNames(['a'])).toEqual(['a']);
    expect(api.requests.find(({ verb }) => verb === 'list')?.query).not.toHaveProperty('resourceVersion');
  });

  it('opens a watch again when its time is up, without a list', async () => {
    await startApi({ watchTimeoutMs: 50 });
    await start();
    await until(() => api.count('watch') >= 3, { what: 'the third watch' });
    api.addPod(pod('a'));
    await untilNames(['a']);
    expect(api.count('list')).toBe(1);
  });

  it('survives a server that goes away and comes back', async () => {
    await startApi();
    api.addPod(pod('a'));
    await start();
    await untilWatching();
    const { port, store } = api;
    await api.close();
    store.put(pod('b'));
    await until(() => logLines.some(({ msg }) => msg.includes('ECONNREFUSED')), { what: 'a word of it' });
    await startApi({ port, store });
    await untilNames(['a', 'b'], 2_000);
    expect(api.count('list')).toBe(0);
    await until(() => logLines.some(({ msg }) => msg.includes('again')), { what: 'a word that it is over' });
    // Once that it fails, once that it is over.
    expect(logLines.map(({ msg }) => msg).filter((msg) => msg.includes('ECONNREFUSED')).length).toBe(1);
  });

  it('notices a watch on which nothing is heard', async () => {
    await startApi();
    await start({ timing: { watchIdleMs: 300 } });
    await untilWatching();
    api.silenceWatches();
    api.addPod(pod('a'));
    await untilNames(['a']);
    expect(api.count('list')).toBe(1);
  });

  it('keeps a watch on which only bookmarks are heard', async () => {
    await startApi({ bookmarkMs: 50 });
    await start({ timing: { watchIdleMs: 300 } });
    await untilWatching();
    await new Promise((resolve) => setTimeout(resolve, 900));
    expect(api.count('watch')).toBe(1);
  });

  it('opens a new watch when a directory makes it suspect that the old one hangs', async () => {
    await startApi();
    const source = await start({ timing: { suspectMs: 100 } });
    await untilWatching();
    api.silenceWatches();
    api.addPod(pod('a', { uid: 'u' }));
    const seen = { namespace: 'demo', pod: 'a', uid: 'u', directory: '/var/log/pods/demo_a_u' };
    source.suspect?.(seen);
    source.suspect?.(seen);
    await untilNames(['a']);
    expect(api.requests.map(({ verb }) => verb)).toEqual(['list', 'watch', 'watch']);
  });

  it('names the permission that is missing, once', async () => {
    await startApi({ user: 'system:serviceaccount:logging:frostbeat' });
    api.break({ kind: 'refuse', status: 403 });
    const source = await start({ timing: { retryCeilingMs: 20 } });
    await until(() => api.requests.length > 10, { what: 'ten refusals' });
    const words = logLines.map(({ msg }) => msg);
    expect(words).toEqual([
      expect.stringContaining(
        'Grant service account frostbeat in namespace logging the verbs list and watch on pods in namespace demo',
      ),
    ]);
    expect(source.notReady).toContain('permission is missing');
    expect(await metrics.registry.metrics()).toMatch(
      /frostbeat_pod_api_errors_total\{reason="forbidden"\} \d\d/,
    );
  });

  it('asks again no sooner than the server says', async () => {
    await startApi();
    api.break({ kind: 'refuse', status: 429, retryAfterSeconds: 1 });
    await start();
    await until(() => api.requests.length === 3, { what: 'the third request' });
    const [first, second, third] = api.requests.map(({ at }) => at);
    expect(second! - first!).toBeGreaterThan(990);
    expect(third! - second!).toBeGreaterThan(990);
  });

  it('is answered by a slow server, with few requests at a time', async () => {
    await startApi();
    api.addPod(pod('a'));
    api.break({ kind: 'slow', ms: 3_000 }, 'list');
    await start({ timing: { hedgeMs: 400 } });
    expect(await untilNames(['a'])).toEqual(['a']);
    // The first, the newest, and the one that it replaces.
    expect(api.mostConnections).toBeLessThanOrEqual(3);
    expect(api.count('list')).toBeGreaterThan(3);
  });

  it('asks seldom during an outage', async () => {
    await startApi();
    api.break({ kind: 'refuse', status: 500 });
    await start();
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    expect(api.requests.length).toBeLessThan(25);
  });

  it('asks nothing any more when it was stopped in a pause', async () => {
    await startApi();
    api.break({ kind: 'refuse', status: 429, retryAfterSeconds: 1 });
    await start();
    await until(() => logLines.length > 0, { what: 'a refusal' });
    stop.abort();
    await running;
    const asked = api.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 1_800));
    expect(api.requests.length).toBe(asked);
  });

  it('stops at once, whatever it waits for', async () => {
    await startApi();
    api.break({ kind: 'hang' });
    await start();
    await until(() => api.requests.length > 0, { what: 'a hanging request' });
    const began = performance.now();
    stop.abort();
    await running;
    expect(performance.now() - began).toBeLessThan(200);
  });
});
