import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Gap } from '../../src/offsets/offsets-file.ts';
import type { RunningAgent } from '../support/agent-process.ts';
import { etcdForAll } from '../support/etcd-for-all.ts';
import { until } from '../support/until.ts';
import {
  allStored,
  ownText,
  rememberedContainers,
  testNode,
  type TestNode,
  untilStored,
  writeRecords,
} from './node.ts';

const etcd = etcdForAll();

const name = 'moody';
const namespace = 'demo-system';

/** One pod, which is selected, and not, and selected again. */
class Scene {
  readonly node: TestNode;
  readonly pod: string;
  readonly live: string;
  agent: RunningAgent;

  private constructor(node: TestNode, pod: string, agent: RunningAgent) {
    this.node = node;
    this.pod = pod;
    this.live = join(pod, 'app', '0.log');
    this.agent = agent;
  }

  /** The pod is selected, and its agent ready. */
  static async begin(): Promise<Scene> {
    const node = await testNode(etcd());
    const { metadata } = node.api.addPod({ namespace, name, labels: { app: 'snowplow' } });
    const agent = await node.startAgent();
    await agent.ready();
    return new Scene(node, join(node.podLogDir, `${namespace}_${name}_${metadata.uid}`), agent);
  }

  write(count: number): string[] {
    return writeRecords(this.live, count);
  }

  async untilRead(lines: number): Promise<void> {
    await until(async () => (await this.agent.metric('lines_read_total')) === lines, { what: 'lines read' });
  }

  label(app: 'snowplow' | 'other'): void {
    this.node.api.updatePod({ namespace, name, labels: { app } });
  }

  /** The agent has heard that the pod is not selected, has read its files to there, and saved that. */
  async untilLetGo(): Promise<void> {
    await until(async () => (await this.agent.metric('containers')) === 0, {
      timeoutMs: 20_000,
      what: 'no container followed',
    });
    await this.untilSaved();
  }

  /** Two saves from now on are over: the second began after this. */
  async untilSaved(): Promise<void> {
    const before = (await this.agent.metric('offset_commits_total')) ?? 0;
    await until(async () => ((await this.agent.metric('offset_commits_total')) ?? 0) >= before + 2, {
      what: 'offsets saved',
    }).catch(() => undefined); // Nothing has changed.
  }

  async restart(): Promise<void> {
    this.agent = await this.node.startAgent();
    await this.agent.ready();
  }

  rotate(): string {
    const rotated = `${this.live}.20261124-180000`;
    renameSync(this.live, rotated);
    return rotated;
  }

  get gaps(): Gap[] {
    return this.agent.log.flatMap(({ gap }) => (gap === undefined ? [] : [gap as Gap]));
  }

  async untilGap(): Promise<void> {
    await until(() => this.gaps.length > 0, { timeoutMs: 20_000, what: 'a gap' });
  }
}

/** Up to which version the agent has saved that it heard; 0 for none. */
function savedVersion({ stateDir }: TestNode): number {
  const path = join(stateDir, 'pod-versions.json');
  if (!existsSync(path)) return 0;
  return Number(Object.values(JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>)[0]);
}

const stored = async () => (await allStored(etcd())).map(({ value }) => ownText(value)).toSorted();

describe('a pod that loses its label, around a kill of the agent', () => {
  it('has all stored that was in flight when it was let go', async () => {
    const scene = await Scene.begin();
    etcd().freeze();
    const written = scene.write(15);
    await scene.untilRead(15);
    scene.label('other');
    await scene.untilLetGo();
    await scene.agent.kill();
    etcd().thaw();
    await scene.restart();
    await untilStored(etcd(), 15);
    expect(await stored()).toEqual(written.toSorted());
    expect(scene.gaps).toEqual([]);
    await scene.untilLetGo();
  });

  it.each(['and stays so', 'and has its label again'])(
    'has a gap told where that went while the agent was down: it is deleted, %s',
    async (how) => {
      const scene = await Scene.begin();
      etcd().freeze();
      scene.write(15);
      await scene.untilRead(15);
      scene.label('other');
      await scene.untilLetGo();
      await scene.agent.kill();
      etcd().thaw();
      if (how === 'and has its label again') scene.label('snowplow');
      rmSync(scene.pod, { recursive: true });
      scene.node.api.deletePod(namespace, name);
      await scene.restart();
      await scene.untilGap();
      expect(scene.gaps).toMatchObject([{ file: '0.log', reason: 'removed_while_down', from: 0 }]);
      await until(() => rememberedContainers(scene.node)?.length === 0, {
        timeoutMs: 30_000,
        what: 'offsets that forgot it',
      });
    },
  );

  it('has nothing told where all was stored before: what went then was not wanted', async () => {
    const scene = await Scene.begin();
    const written = scene.write(15);
    await untilStored(etcd(), 15);
    scene.label('other');
    await scene.untilLetGo();
    await scene.agent.kill();
    rmSync(scene.rotate());
    scene.label('snowplow');
    written.push(...scene.write(10));
    await scene.restart();
    await untilStored(etcd(), 25);
    expect(await stored()).toEqual(written.toSorted());
    expect(scene.gaps).toEqual([]);
  });

  it.each(['lost', 'lost and had again'])(
    'has a gap told where its label is %s while the agent is down, and its unread file goes',
    async (how) => {
      const scene = await Scene.begin();
      etcd().freeze();
      scene.write(15);
      await scene.untilRead(15);
      await scene.untilSaved();
      await scene.agent.kill();
      etcd().thaw();
      scene.label('other');
      rmSync(scene.rotate());
      if (how === 'lost and had again') scene.label('snowplow');
      scene.write(5);
      await scene.restart();
      await scene.untilGap();
      expect(scene.gaps).toMatchObject([{ reason: 'removed_while_down', from: 0 }]);
      await untilStored(etcd(), 5);
    },
  );

  it('has a gap told of a file that was only ever held, once it is known that it was selected again', async () => {
    const scene = await Scene.begin();
    scene.write(15);
    await untilStored(etcd(), 15);
    scene.label('other');
    await scene.untilLetGo();
    // How far the API was heard is saved with a lag.
    const { node } = scene;
    await until(() => savedVersion(node) >= node.api.store.version, {
      timeoutMs: 10_000,
      what: 'the version saved',
    });
    await scene.agent.kill();
    node.api.break({ kind: 'refuse', status: 503 });
    scene.label('snowplow');
    scene.rotate();
    scene.write(10);
    scene.agent = await node.startAgent();
    await until(async () => (await scene.agent.metric('files_open')) === 1, { what: 'the new file held' });
    await scene.untilSaved();
    await scene.agent.kill();
    rmSync(scene.pod, { recursive: true });
    node.api.deletePod(namespace, name);
    node.api.heal();
    await scene.restart();
    await scene.untilGap();
    expect(scene.gaps).toMatchObject([{ file: '0.log', reason: 'removed_while_down', from: 0, to: null }]);
    await until(() => rememberedContainers(node)?.length === 0, {
      timeoutMs: 30_000,
      what: 'offsets that forgot it',
    });
  });
});

it('a pod that has its label again while the store is down has all its lines stored, also of files deleted since', async () => {
  const scene = await Scene.begin();
  etcd().freeze();
  const written = scene.write(3_000);
  await until(async () => (await scene.agent.metric('reading_paused')) === 1, { what: 'reading to wait' });
  scene.label('other');
  // The end of what is wanted is taken two and a half seconds after that is heard.
  await sleep(4_000);
  scene.label('snowplow');
  await sleep(1_000);
  written.push(...scene.write(500));
  const rotated = scene.rotate();
  written.push(...scene.write(500));
  await until(async () => (await scene.agent.metric('files_open')) === 2, { what: 'both files open' });
  rmSync(rotated);
  etcd().thaw();
  await untilStored(etcd(), 4_000);
  expect(await stored()).toEqual(written.toSorted());
  expect(scene.gaps).toEqual([]);
});
