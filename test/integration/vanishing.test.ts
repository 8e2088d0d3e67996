import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/demo/random.ts';
import type { RunningAgent } from '../support/agent-process.ts';
import { AgentTime } from '../support/agent-time.ts';
import { etcdForAll } from '../support/etcd-for-all.ts';
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
} from './node.ts';

const etcd = etcdForAll();

/** Directories go so long after the last line, in milliseconds of the time that the agent has had. */
const vanishMs = 1_000;

/** The agent of a node, killed or stopped now and then, and whether it is there. */
class Agents {
  current: RunningAgent | undefined;
  readonly complaints: string[] = [];
  /** Files that go while no agent is there are promised to nobody. */
  readonly time = new AgentTime(() => this.current);

  /** @param apiDownMs the pod API hangs until so long after the agent is there. */
  async start(node: TestNode, apiDownMs: number): Promise<void> {
    if (apiDownMs > 0) node.api.break({ kind: 'hang' });
    this.current = await node.startAgent();
    this.time.restart();
    const isThere = () => this.current?.metric('pods');
    await until(async () => (await isThere()) !== undefined, { timeoutMs: 20_000, what: 'an agent' });
    await sleep(apiDownMs);
    node.api.heal();
    await this.current.ready();
  }

  async end(how: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.time.restart();
    if (how === 'SIGKILL') await this.current?.kill();
    else await this.current?.stop();
    this.complaints.push(...(this.current?.complaints ?? []));
  }
}

interface Scene {
  readonly node: TestNode;
  readonly life: NodeLife;
  readonly random: Random;
  readonly agents: Agents;
}

/** A pod lives for a moment and is deleted, and its directory goes. */
async function shortLife({ node, life, random, agents }: Scene, name: string): Promise<void> {
  const pod = life.startPod(name, ['app', 'side']);
  await sleep(random.int(0, 100));
  tellPod(node, pod);
  for (let line = random.int(1, 5); line > 0; line--) {
    life.print(random.int(1, 10), [pod]);
    await sleep(random.int(0, 200));
  }
  life.endPod(pod);
  // At once, maybe while no agent is there, or the API does not answer it; or when its directory is long gone.
  const early = random.chance(0.5);
  if (early) node.api.deletePod('demo-system', name);
  await agents.time.pass(vanishMs);
  rmSync(pod.target.directory, { recursive: true });
  await sleep(random.int(0, 500));
  if (!early) node.api.deletePod('demo-system', name);
}

/** A container dies again and again: of its dead runs only the last is kept. */
async function crashLoop(
  { node, life, random, agents }: Scene,
  name: string,
  end: AbortSignal,
): Promise<void> {
  const pod = life.startPod(name);
  tellPod(node, pod);
  while (!end.aborted) {
    life.print(random.int(1, 30), [pod]);
    await agents.time.pass(vanishMs);
    life.restart(pod.container('app'), 1);
  }
}

describe.each([
  'goes on',
  'is killed now and then',
  'is stopped now and then',
  'is killed now and then, and finds no pod API at first',
])('an agent that %s', (what) => {
  it('has every record of pods that live for a moment and of containers that crash', async () => {
    const random = new Random(seed());
    const node = await testNode(etcd());
    const agents = new Agents();
    const scene = { node, random, agents, life: nodeLife(node, random) };
    const apiDownMs = what.includes('no pod API') ? 1_500 : 0;
    await agents.start(node, apiDownMs);
    // From then on an agent knows how far the one before it had heard.
    const versions = join(node.stateDir, 'pod-versions.json');
    await until(() => existsSync(versions), { timeoutMs: 10_000, what: 'a version that is saved' });
    const end = AbortSignal.timeout(7_000);
    const running: Promise<void>[] = ['loop-1', 'loop-2'].map((name) => crashLoop(scene, name, end));
    const restarts = async () => {
      while (!end.aborted) {
        await sleep(random.int(1_500, 3_000));
        await agents.end(what.includes('killed') ? 'SIGKILL' : 'SIGTERM');
        await agents.start(node, apiDownMs);
      }
    };
    if (what !== 'goes on') running.push(restarts());
    for (let n = 0; !end.aborted; n++) {
      running.push(shortLife(scene, `short-${n}`));
      await sleep(250);
    }
    await Promise.all(running);
    scene.life.finishLines();
    // What is missing is told by name below.
    await untilStored(etcd(), scene.life.expected.size, 5_000).catch(() => undefined);
    expect(scene.life.expected.judge(await allStored(etcd()))).toEqual(nothingWrong);
    await agents.end('SIGTERM');
    // One that is killed cannot know at the next start that it had delivered all of what is gone now.
    const harmless = what.includes('killed') ? 'warn: A log file went while' : 'nothing';
    expect(agents.complaints.filter((text) => !text.startsWith(harmless))).toEqual([]);
  });
});
