import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/ops/metrics.ts';
import { loadApiAccess } from '../../src/pods/api-access.ts';
import { openPodWatch } from '../../src/pods/pod-watch.ts';
import type { PodSource } from '../../src/pods/targets.ts';
import { makeCertificates } from '../support/certificates.ts';
import { KubeApi, type Fault } from '../support/kube-api/kube-api.ts';
import { RecordingListener } from '../support/recording-listener.ts';
import { until } from '../support/until.ts';

const faults: [string, Fault][] = [
  ['hangs', { kind: 'hang' }],
  ['drops connections', { kind: 'drop' }],
  ['breaks off in the middle', { kind: 'cut' }],
  ["answers with a proxy's page", { kind: 'page' }],
  ['answers 401', { kind: 'refuse', status: 401 }],
  ['answers 403', { kind: 'refuse', status: 403 }],
  ['answers 410', { kind: 'refuse', status: 410 }],
  ['answers 429', { kind: 'refuse', status: 429, retryAfterSeconds: 1 }],
  ['answers 500', { kind: 'refuse', status: 500 }],
  ['answers 503', { kind: 'refuse', status: 503 }],
];
const pod = (name: string) => ({ namespace: 'demo', name, node: 'node-1', labels: { app: 'web' } });

let certificates: string;
let tls: { readonly cert: string; readonly key: string };

beforeAll(async () => {
  certificates = await mkdtemp(join(tmpdir(), 'pod-watch-tls-'));
  const { server } = await makeCertificates(certificates);
  const [cert, key] = await Promise.all([
    readFile(server.certFile, 'utf8'),
    readFile(server.keyFile, 'utf8'),
  ]);
  tls = { cert, key };
});
afterAll(() => rm(certificates, { recursive: true }));

interface Scene {
  readonly api: KubeApi;
  readonly heard: RecordingListener;
  /** Starts the source. */
  readonly start: () => Promise<PodSource>;
}

/** The tests wait most of their time, and run beside each other: each has a server and a source of its own. */
async function scene(play: (scene: Scene) => Promise<void>): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'pod-watch-outage-'));
  const api = await KubeApi.start({ tls });
  const heard = new RecordingListener();
  const over = new AbortController();
  let running = Promise.resolve();
  const start = async () => {
    const source = await openPodWatch({
      nodeName: 'node-1',
      namespaces: ['demo'],
      selector: 'app=web',
      podLogDir: '/var/log/pods',
      log: pino({ level: 'silent' }),
      metrics: createMetrics(),
      access: await loadApiAccess({ env: { KUBECONFIG: await api.kubeconfig(join(home, 'config')) } }),
      startJitterMs: 0,
    });
    running = source.run(heard, over.signal);
    return source;
  };
  try {
    await play({ api, heard, start });
  } finally {
    over.abort();
    await running;
    await api.close();
    await rm(home, { recursive: true });
  }
}

describe.concurrent('an outage of 4 s', () => {
  it.each(faults)(
    'is over for a new pod within two seconds where the API %s',
    { timeout: 15_000 },
    async (_, fault) => {
      await scene(async ({ api, heard, start }) => {
        api.addPod(pod('before'));
        await start();
        await until(() => api.openWatches > 0, { what: 'an open watch' });
        api.break(fault);
        api.dropConnections();
        api.addPod(pod('during'));
        await sleep(4_000);
        expect(heard.names).toEqual(['before']);
        api.heal();
        await until(() => heard.names.length === 2, {
          what: 'the pod that came meanwhile',
          timeoutMs: 2_000,
        });
        // What is asked is to go on, and not a list, unless the server says that it has forgotten.
        const forgotten = fault.kind === 'refuse' && fault.status === 410;
        expect(api.count('list') === 1 || forgotten).toBe(true);
        expect(api.requests.length).toBeLessThan(40);
      });
    },
  );

  it.each(faults)(
    'at the start is over within two seconds where the API %s',
    { timeout: 15_000 },
    async (_, fault) => {
      await scene(async ({ api, heard, start }) => {
        api.break(fault);
        api.addPod(pod('a'));
        const source = await start();
        await sleep(4_000);
        expect(source.notReady).toContain('no list of the pods in namespace demo yet');
        api.heal();
        await until(() => heard.syncs === 1, { what: 'the first list', timeoutMs: 2_000 });
        expect(heard.names).toEqual(['a']);
      });
    },
  );
});
