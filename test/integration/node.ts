import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { wallClock } from '../../src/demo/clock.ts';
import { containerdFormat } from '../../src/demo/containerd-format.ts';
import type { Random } from '../../src/demo/random.ts';
import type { SimulatedPod } from '../../src/demo/simulated-pod.ts';
import type { TestEtcd } from '../support/etcd.ts';
import { KubeApi, type KubeApiOptions } from '../support/kube-api/kube-api.ts';
import type { StoredRecord, Verdict } from '../support/sim/expected-records.ts';
import { NodeLife, type NodeLifeOptions } from '../support/sim/node-life.ts';
import { conmonFormat } from '../support/sim/conmon-format.ts';
import { until } from '../support/until.ts';
import { type AgentProcessOptions, type RunningAgent, startAgent } from '../support/agent-process.ts';

/** What the judge says where nothing is wrong. */
export const nothingWrong: Verdict = { lost: [], twice: [], misplaced: [], foreign: [] };

/** A node as the agent sees it: its directories, the API server that tells its pods, the store. */
export interface TestNode {
  readonly directory: string;
  readonly podLogDir: string;
  readonly stateDir: string;
  readonly api: KubeApi;
  /** All that the agent is told, by default settings otherwise. */
  readonly env: Readonly<Record<string, string>>;
  startAgent(env?: Readonly<Record<string, string>>, options?: AgentProcessOptions): Promise<RunningAgent>;
}

/** Makes a node with no pods; everything of it goes when the test ends. The store is emptied. */
export async function testNode(
  etcd: Pick<TestEtcd, 'url' | 'client' | 'pid'> | undefined,
  { api: apiOptions = {} }: { readonly api?: KubeApiOptions } = {},
): Promise<TestNode> {
  const directory = mkdtempSync(join(tmpdir(), 'frostbeat-node-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  // Bookmarks thirty times as often as the real ones: upon them it is decided what is not selected.
  const api = await KubeApi.start({ bookmarkMs: 2_000, ...apiOptions });
  onTestFinished(() => api.close());
  if (etcd?.pid !== undefined) await etcd.client.delete().all();

  const podLogDir = join(directory, 'pods');
  const stateDir = join(directory, 'state');
  mkdirSync(podLogDir);
  const env = {
    NODE_NAME: 'node-1',
    POD_LOG_DIR: podLogDir,
    STATE_DIR: stateDir,
    KUBECONFIG: await api.kubeconfig(join(directory, 'kubeconfig')),
    ...(etcd && { ETCD_SERVERS: etcd.url }),
    BATCH_PERIOD: '500ms',
  };
  return {
    directory,
    podLogDir,
    stateDir,
    api,
    env,
    startAgent: (more = {}, options = {}) => startAgent({ ...env, ...more }, { cwd: directory, ...options }),
  };
}

/** Says so when the seed was not chosen, so that a failing run can be made again: FROSTBEAT_SEED=…. */
export function seed(): number {
  const value = Number(process.env['FROSTBEAT_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
  onTestFinished(({ task }) => {
    if (task.result?.state === 'fail') process.stderr.write(`FROSTBEAT_SEED=${value}\n`);
  });
  return value;
}

/** Pods whose logs live from a seed, of both runtimes; those that are started are told to the API. */
export function nodeLife(
  { podLogDir }: Pick<TestNode, 'podLogDir'>,
  random: Random,
  options: Partial<NodeLifeOptions> = {},
): NodeLife {
  const clock = wallClock();
  return new NodeLife({
    podLogDir,
    namespace: 'demo-system',
    random,
    clock,
    makeFormat: () => (random.chance(0.5) ? containerdFormat({ clock }) : conmonFormat({ clock })),
    ...options,
  });
}

/** Tells the API server of a pod whose directory is there. */
export function tellPod(
  { api }: Pick<TestNode, 'api'>,
  { target }: SimulatedPod,
  { node = 'node-1', app = 'snowplow' } = {},
): void {
  api.addPod({ namespace: target.namespace, name: target.pod, uid: target.uid, node, labels: { app } });
}

export interface EtcdRecord extends StoredRecord {
  readonly key: string;
  readonly recordId: string;
  /** `0` without one. */
  readonly lease: string;
}

/** All records in the store. */
export async function allStored({ client }: Pick<TestEtcd, 'client'>): Promise<EtcdRecord[]> {
  const { kvs } = await client.getAll().prefix('logs/').options(patient()).exec();
  return kvs.map(({ key: bytes, value, lease }) => {
    const key = bytes.toString();
    const [, traceId = '', unixNano = '', recordId = ''] =
      /^logs\/([^/]+)\/(\d+)\/([0-9a-f]{16}-[0-9a-f]+)$/.exec(key) ?? [];
    return { key, traceId: decodeURIComponent(traceId), unixNano, recordId, value, lease };
  });
}

/** How many records the store holds. */
export async function countStored({ client }: Pick<TestEtcd, 'client'>): Promise<number> {
  return await client.getAll().prefix('logs/').options(patient()).count();
}

/** A busy machine, and thousands of keys. */
const patient = () => ({ deadline: Date.now() + 20_000 });

/** Waits until the store holds so many keys or more. */
export async function untilStored(
  etcd: Pick<TestEtcd, 'client'>,
  count: number,
  timeoutMs = 20_000,
): Promise<void> {
  let last = 0;
  await until(
    async () => {
      last = await countStored(etcd);
      return last >= count;
    },
    { timeoutMs, what: `${count} keys in etcd` },
  ).catch((cause: unknown) => {
    throw new Error(`Cannot see ${count} keys in etcd: there are ${last}`, { cause });
  });
}

let serial = 0;

/** So many records of one container, each of a trace of its own, with what they hold. */
export function writeRecords(path: string, count: number, traceId = 'trace'): string[] {
  mkdirSync(dirname(path), { recursive: true });
  const texts = Array.from({ length: count }, () => {
    const time = new Date().toISOString();
    return `{"time":"${time}","traceId":"${traceId}","msg":"grüße","n":${serial++}}`;
  });
  appendFileSync(path, texts.map((text) => `${new Date().toISOString()} stdout F ${text}\n`).join(''));
  return texts;
}

/** The record's own text, without the member that the agent added. */
export function ownText(value: Buffer): string {
  return value.toString('utf8').replace(/,"kubernetes":\{[^{}]*\}\}$/, '}');
}

interface OffsetsFile {
  readonly containers: Record<string, { readonly files: Record<string, { readonly offset: number }> }>;
}

function offsets({ stateDir }: Pick<TestNode, 'stateDir'>): OffsetsFile | undefined {
  const path = join(stateDir, 'offsets.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as OffsetsFile) : undefined;
}

/** The container directories that the offsets file knows; undefined while there is no such file. */
export function rememberedContainers(node: Pick<TestNode, 'stateDir'>): string[] | undefined {
  const saved = offsets(node);
  return saved && Object.keys(saved.containers);
}

/** The sum of the committed offsets; undefined while there is no such file. */
export function committedBytes(node: Pick<TestNode, 'stateDir'>): number | undefined {
  const saved = offsets(node);
  const files = Object.values(saved?.containers ?? {}).flatMap((container) => Object.values(container.files));
  return saved && files.reduce((sum, { offset }) => sum + offset, 0);
}
