import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/demo/random.ts';
import { startEtcd, type TestEtcd } from '../support/etcd.ts';
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

let etcd: TestEtcd;
beforeAll(async () => {
  etcd = await startEtcd();
});
afterEach(async () => {
  if (etcd.pid === undefined) await etcd.restart();
  else etcd.thaw();
});
afterAll(() => etcd[Symbol.asyncDispose]());

function podWithRecords({ api, podLogDir }: TestNode, count: number): string[] {
  const { uid } = api.addPod({
    namespace: 'demo-system',
    name: 'web-0',
    labels: { app: 'snowplow' },
  }).metadata;
  return writeRecords(join(podLogDir, `demo-system_web-0_${uid}`, 'app', '0.log'), count);
}

describe('an etcd', () => {
  it('that is not there at the start is said once, and gets everything when it comes', async () => {
    const node = await testNode(etcd);
    const written = podWithRecords(node, 500);
    await etcd.stop();
    const agent = await node.startAgent();
    await until(() => agent.complaints.length > 0, { timeoutMs: 15_000, what: 'a word of the missing etcd' });
    const { status, text } = await agent.readiness();
    expect({ status, text }).toEqual({ status: 503, text: expect.stringMatching(/^writer etcd: .+$/m) });
    await sleep(6_000);
    expect(agent.complaints).toEqual([agent.complaints[0]]);
    expect(agent.complaints[0]).toMatch(/^warn: The writer etcd fails: .*127\.0\.0\.1/);
    expect(agent.ended).toBe(false);

    await etcd.restart();
    await untilStored(etcd, written.length);
    await agent.ready();
    expect(agent.complaints).toHaveLength(1);
    expect((await agent.stop()).code).toBe(0);
  });

  it.each(['is killed', 'hangs'])(
    'that %s under load costs a handful of log lines and no record',
    async (how) => {
      const random = new Random(seed());
      const node = await testNode(etcd);
      const life = nodeLife(node, random);
      for (const name of ['a', 'b', 'c']) tellPod(node, life.startPod(name));
      const agent = await node.startAgent();
      await agent.ready();
      const live = async (ms: number) => {
        for (const begun = performance.now(); performance.now() - begun < ms;) {
          life.print(60);
          if (random.chance(0.05)) await life.rotate();
          await sleep(50);
        }
      };
      await live(1_000);
      if (how === 'hangs') etcd.freeze();
      else await etcd.kill();
      await live(7_000);
      await until(async () => !(await agent.readiness()).ok, {
        timeoutMs: 15_000,
        what: 'an agent not ready',
      });
      expect((await agent.readiness()).text).toMatch(/^writer etcd: /m);
      if (how === 'hangs') etcd.thaw();
      else await etcd.restart();
      await live(1_000);
      life.finishLines();
      await untilStored(etcd, life.expected.size);
      await agent.ready();
      expect((await agent.stop()).code).toBe(0);
      expect(life.expected.judge(await allStored(etcd))).toEqual(nothingWrong);
      expect(life.counts.rotations).toBeGreaterThan(2);
      expect(agent.complaints.length).toBeGreaterThan(0);
      expect(agent.complaints.length).toBeLessThan(6);
    },
  );
});

describe('a POD_LOG_DIR', () => {
  it('that does not exist yet is waited for', async () => {
    const node = await testNode(etcd);
    rmSync(node.podLogDir, { recursive: true });
    const agent = await node.startAgent();
    await until(() => agent.complaints.length > 0, { what: 'a word of the missing directory' });
    expect(agent.complaints).toEqual([`warn: ${node.podLogDir} does not exist yet; waiting for it`]);
    await until(async () => (await agent.readiness()).text.includes('does not exist yet'), {
      what: 'not ready',
    });
    expect((await agent.readiness()).status).toBe(503);

    mkdirSync(node.podLogDir);
    const written = podWithRecords(node, 10);
    await untilStored(etcd, written.length);
    await agent.ready();
    expect(agent.complaints).toHaveLength(1);
    expect((await agent.stop()).code).toBe(0);
  });
});

describe('a configuration', () => {
  it('with mistakes ends the start with 2, and names every one', async () => {
    const node = await testNode(undefined);
    writeFileSync(join(node.directory, 'file'), '');
    const agent = await node.startAgent({
      NODE_NAME: '',
      BATCH_SIZE: 'many',
      TTL: '2 days',
      STATE_DIR: join(node.directory, 'file/state'),
    });
    expect(await agent.exit()).toEqual({ code: 2, signal: null });
    for (const variable of ['NODE_NAME', 'BATCH_SIZE', 'TTL', 'STATE_DIR']) {
      expect(agent.text).toMatch(new RegExp(`^  - ${variable} `, 'm'));
    }
    expect(agent.text.match(/^ {2}- /gm)).toHaveLength(4);
  });
});
