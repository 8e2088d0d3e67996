import { rmSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { SimulatedPod } from '../../src/demo/simulated-pod.ts';
import { Random } from '../../src/demo/random.ts';
import type { RunningAgent } from '../support/agent-process.ts';
import { AgentTime } from '../support/agent-time.ts';
import { etcdForAll } from '../support/etcd-for-all.ts';
import type { Fault } from '../support/kube-api/kube-api.ts';
import type { NodeLife } from '../support/sim/node-life.ts';
import { until } from '../support/until.ts';
import {
  allStored,
  nodeLife,
  nothingWrong,
  seed,
  tellPod,
  testNode,
  type TestNode,
  untilStored,
  writeRecords,
} from './node.ts';

const etcd = etcdForAll();

interface Scene {
  readonly node: TestNode;
  readonly random: Random;
  /** Of pods that are selected, and of others. */
  readonly selected: NodeLife;
  readonly strangers: NodeLife;
  readonly agent: RunningAgent;
  readonly time: AgentTime;
}

/** A pod that is told to the API, prints, dies, and whose directory goes when the agent has had a second since its last line. */
async function briefLife({ node, random, selected, strangers, time }: Scene, name: string): Promise<void> {
  const stranger = name.startsWith('stranger');
  const life = stranger ? strangers : selected;
  const pod = life.startPod(name, ['app', 'side']);
  tellPod(node, pod, { app: stranger ? 'other' : 'snowplow' });
  const rounds = random.int(1, 4);
  for (let round = 0; round < rounds; round++) {
    life.print(random.int(1, 20), [pod]);
    // All runs keep their files: what is gone within a second of its appearing may be missed (docs/guarantees.md).
    if (random.chance(0.3)) life.restart(pod.container('app'), rounds);
    await sleep(random.int(0, 300));
  }
  life.endPod(pod);
  await vanish(pod, time);
}

async function vanish({ target }: SimulatedPod, time: AgentTime): Promise<void> {
  await time.pass(1_000);
  rmSync(target.directory, { recursive: true });
}

async function scene(fault: Fault): Promise<Scene> {
  const random = new Random(seed());
  const node = await testNode(etcd());
  node.api.break(fault);
  const lives = { selected: nodeLife(node, random), strangers: nodeLife(node, random) };
  for (const [name, life, app] of [
    ['there', lives.selected, 'snowplow'],
    ['stranger-there', lives.strangers, 'other'],
  ] as const) {
    const pod = life.startPod(name);
    tellPod(node, pod, { app });
    life.print(20, [pod]);
  }
  const agent = await node.startAgent();
  return { node, random, ...lives, agent, time: new AgentTime(() => agent) };
}

/** What leads to a file that no name leads to. */
const deletedFiles = (agent: RunningAgent) =>
  agent.descriptors().filter((path) => path.includes('.log') && path.endsWith('(deleted)'));

describe('an agent whose pod API is down for its first ten seconds', () => {
  it.each<[string, Fault]>([
    ['hangs', { kind: 'hang' }],
    ['drops connections', { kind: 'drop' }],
    ['answers 503', { kind: 'refuse', status: 503 }],
  ])(
    'has every record of the pods it tells afterwards, once, and none of others, where it %s',
    { timeout: 90_000 },
    async (_, fault) => {
      const all = await scene(fault);
      const { node, selected, strangers, agent } = all;
      await until(async () => (await agent.metric('pods_held')) === 2, {
        what: 'both held',
        timeoutMs: 20_000,
      });
      const began = performance.now();
      const lives: Promise<void>[] = [];
      for (let n = 0; performance.now() - began < 8_000; n++) {
        lives.push(briefLife(all, `brief-${n}`), briefLife(all, `stranger-${n}`));
        for (const life of [selected, strangers]) life.print(5, life.pods.slice(0, 1));
        await sleep(250);
      }
      await Promise.all(lives);
      expect(await agent.metric('lines_read_total')).toBe(0);
      expect((await agent.readiness()).text).toMatch(
        /no list of the pods .* log files of \d+ pods are held open/,
      );

      node.api.heal();
      await agent.ready();
      lives.push(briefLife(all, 'after'), briefLife(all, 'stranger-after'));
      await Promise.all(lives);
      selected.finishLines();
      await untilStored(etcd(), selected.expected.size, 15_000).catch(() => undefined);
      expect(selected.expected.judge(await allStored(etcd()))).toEqual(nothingWrong);
      // What the strangers left on the disk is let go within ten seconds.
      await until(() => deletedFiles(agent).length === 0, { what: 'all let go', timeoutMs: 10_000 });
      await until(async () => (await agent.metric('pods_held')) === 0, { what: 'none held' });
      expect(node.api.count('watch')).toBeLessThan(100);
      expect(await agent.metric('gaps_total')).toBe(0);
      expect((await agent.stop()).code).toBe(0);
    },
  );

  it('tells by name and counts what it held of a pod that is never told', async () => {
    const { node, selected, agent, time } = await scene({ kind: 'refuse', status: 403 });
    const pod = selected.startPod('lost');
    tellPod(node, pod);
    selected.print(10, [pod]);
    await until(async () => (await agent.metric('pods_held')) === 3, { what: 'all held', timeoutMs: 10_000 });
    selected.endPod(pod);
    node.api.deletePod('demo-system', 'lost');
    await vanish(pod, time);
    node.api.heal();
    await until(async () => (await agent.metric('pods_unknown_total')) === 1, {
      what: 'a count',
      timeoutMs: 15_000,
    });
    const told = agent.log.filter(({ msg }) => msg.includes('came and went'));
    expect(told).toMatchObject([{ level: 'warn', directories: [basename(pod.target.directory)] }]);
    await until(() => deletedFiles(agent).length === 0, { what: 'its files let go' });
  });
});

describe('500 files of pods that are not selected', () => {
  it('are let go within ten seconds, and cost no more than their descriptors until then', async () => {
    const node = await testNode(etcd());
    const record = `${node.podLogDir}/demo-system_web-0_u/app/0.log`;
    node.api.addPod({ namespace: 'demo-system', name: 'web-0', uid: 'u', labels: { app: 'snowplow' } });
    const written = writeRecords(record, 10);
    for (let n = 0; n < 100; n++) {
      const name = `stranger-${n}`;
      node.api.addPod({ namespace: 'demo-system', name, uid: 'u', labels: { app: 'other' } });
      for (let file = 0; file < 5; file++) {
        writeRecords(`${node.podLogDir}/demo-system_${name}_u/app/${file}.log`, 10);
      }
      // Of another namespace: it is not even opened.
      writeRecords(`${node.podLogDir}/else_${name}_u/app/0.log`, 10);
    }
    node.api.break({ kind: 'slow', ms: 1_500 }, 'list');
    const agent = await node.startAgent();
    const logs = () => agent.descriptors().filter((path) => path.endsWith('.log'));
    await until(() => logs().length === 501, { what: 'all held', timeoutMs: 10_000 });
    await untilStored(etcd(), written.length);
    await until(() => logs().length === 1, { what: 'all let go', timeoutMs: 10_000 });
    expect(logs()).toEqual([record]);
    expect(await agent.metric('lines_read_total')).toBe(written.length);
    expect(await agent.metric('pods_unknown_total')).toBe(0);
    expect(agent.complaints).toEqual([]);
    expect(node.api.count('list')).toBeLessThan(4);
  });
});
