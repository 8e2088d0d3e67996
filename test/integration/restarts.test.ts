import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/demo/random.ts';
import type { RunningAgent } from '../support/agent-process.ts';
import { startEtcd, type TestEtcd } from '../support/etcd.ts';
import type { NodeLife } from '../support/sim/node-life.ts';
import { until } from '../support/until.ts';
import { allStored, nodeLife, nothingWrong, seed, tellPod, testNode, untilStored } from './node.ts';

let etcd: TestEtcd;
beforeAll(async () => {
  etcd = await startEtcd();
});
afterEach(async () => {
  if (etcd.pid === undefined) await etcd.restart();
});
afterAll(() => etcd[Symbol.asyncDispose]());

/** A node whose pods write until the work is done: lines, rotations with compression, restarts of containers. */
async function whileWriting(life: NodeLife, random: Random, work: () => Promise<void>): Promise<void> {
  const done = new AbortController();
  const write = async () => {
    while (!done.signal.aborted) {
      life.print(random.int(20, 80));
      await life.rotate();
      if (random.chance(0.05)) {
        life.restart(random.pick(random.pick(life.pods).containers), 1_000);
      }
      await sleep(50);
    }
  };
  await Promise.all([write(), work().finally(() => done.abort())]);
  life.finishLines();
}

async function judged(life: NodeLife): Promise<void> {
  await untilStored(etcd, life.expected.size);
  expect(life.expected.judge(await allStored(etcd))).toEqual(nothingWrong);
}

describe('an agent under load', () => {
  it('that is stopped and started again leaves every record in etcd exactly once', async () => {
    const random = new Random(seed());
    const node = await testNode(etcd);
    const life = nodeLife(node, random, { maxFiles: 1_000 });
    for (const name of ['a', 'b']) tellPod(node, life.startPod(name, ['app', 'side']));
    let last: RunningAgent | undefined;
    await whileWriting(life, random, async () => {
      for (let round = 0; round < 4; round++) {
        last = await node.startAgent();
        await last.ready();
        await sleep(random.int(300, 1_500));
        const { code, afterMs } = await last.stop();
        expect(code).toBe(0);
        expect(afterMs).toBeLessThan(5_000);
        expect(last.complaints).toEqual([]);
      }
      last = await node.startAgent();
    });
    await judged(life);
    expect((await last?.stop())?.code).toBe(0);
    expect(life.counts.rotations).toBeGreaterThan(5);
  });

  it('that is killed again and again under rotation and compression: lost 0, twice 0, altered 0', async () => {
    const random = new Random(seed());
    const node = await testNode(etcd);
    const life = nodeLife(node, random, { maxFiles: 1_000 });
    for (const name of ['a', 'b', 'c']) tellPod(node, life.startPod(name));
    let last: RunningAgent | undefined;
    const complaints: string[] = [];
    await whileWriting(life, random, async () => {
      // Large batches: much is in flight whenever the offsets are saved.
      const large = { BATCH_SIZE: '5000', BATCH_PERIOD: '1s' };
      for (let round = 0; round < 6; round++) {
        last = await node.startAgent(large);
        if (random.chance(0.7)) await last.ready();
        await sleep(random.int(0, 2_500));
        await last.kill();
        complaints.push(...last.complaints);
      }
      last = await node.startAgent();
    });
    await judged(life).catch((cause: unknown) => {
      throw new Error(`Records are missing. ${complaints.join('\n')}`, { cause });
    });
    expect((await last?.stop())?.code).toBe(0);
    complaints.push(...(last?.complaints ?? []));
    expect(life.counts.rotations).toBeGreaterThan(10);
    expect(life.counts.restarts).toBeGreaterThan(0);
    expect(complaints).toEqual([]);
  });

  it('that is down while a pod is deleted drains what is left of it at the next start', async () => {
    const random = new Random(seed());
    const node = await testNode(etcd);
    const life = nodeLife(node, random, { unterminated: 1 });
    const pod = life.startPod('a');
    tellPod(node, pod);
    life.print(200);
    const first = await node.startAgent();
    await untilStored(etcd, life.expected.size - 5);
    await until(async () => ((await first.metric('offset_commits_total')) ?? 0) > 0, {
      what: 'saved offsets',
    });
    await first.kill();
    life.print(200);
    life.endPod(pod);
    node.api.deletePod('demo-system', 'a');
    const second = await node.startAgent();
    await judged(life);
    rmSync(pod.target.directory, { recursive: true });
    expect((await second.stop()).code).toBe(0);
    expect(second.complaints).toEqual([]);
  });
});

describe('an agent whose etcd is down', () => {
  it('ends with 0 within SHUTDOWN_TIMEOUT; the next start delivers what is left', async () => {
    const random = new Random(seed());
    const node = await testNode(etcd);
    const life = nodeLife(node, random);
    tellPod(node, life.startPod('a'));
    const first = await node.startAgent({ SHUTDOWN_TIMEOUT: '2s' });
    await first.ready();
    await etcd.kill();
    life.print(1_000);
    life.finishLines();
    await until(async () => ((await first.ledger())?.inFlight ?? 0) > 0, { what: 'lines in flight' });
    const { code, afterMs } = await first.stop();
    expect(code).toBe(0);
    expect(afterMs).toBeLessThan(3_000);
    expect(first.stopped?.['inFlight']).toBeGreaterThan(0);

    await etcd.restart();
    const second = await node.startAgent();
    await judged(life);
    expect((await second.stop()).code).toBe(0);
  });

  it('ends at once at a second signal', async () => {
    const random = new Random(seed());
    const node = await testNode(etcd);
    const life = nodeLife(node, random);
    tellPod(node, life.startPod('a'));
    const agent = await node.startAgent();
    await agent.ready();
    await etcd.kill();
    life.print(100);
    await until(async () => ((await agent.ledger())?.inFlight ?? 0) > 0, { what: 'lines in flight' });
    agent.signal('SIGTERM');
    await until(() => agent.log.some(({ msg }) => msg.startsWith('Stopping')), {
      what: 'a word of the stop',
    });
    await sleep(500);
    expect(agent.ended).toBe(false);
    const { code, afterMs } = await agent.stop();
    expect(code).toBe(1);
    expect(afterMs).toBeLessThan(1_000);
  });
});
