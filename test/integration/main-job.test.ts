import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/demo/random.ts';
import { etcdForAll } from '../support/etcd-for-all.ts';
import { allStored, nodeLife, nothingWrong, seed, tellPod, testNode, untilStored } from './node.ts';

const etcd = etcdForAll();

const linesASecond = 1_500;
const seconds = 10;
const tickMs = 50;

describe('a node with three selected pods and three others', () => {
  it('has every selected record in etcd exactly once, byte for byte, and nothing else', async () => {
    const random = new Random(seed());
    const node = await testNode(etcd());
    const selected = nodeLife(node, random, { rotateBytes: 98_304 });
    const others = nodeLife(node, random);
    const elsewhere = nodeLife(node, random, { namespace: 'other-system' });
    for (const name of ['collector-0', 'collector-1', 'enrich-0']) tellPod(node, selected.startPod(name));
    tellPod(node, others.startPod('web-0'), { app: 'web' });
    tellPod(node, others.startPod('collector-9'), { node: 'node-2' });
    tellPod(node, elsewhere.startPod('collector-0'));

    const agent = await node.startAgent();
    await agent.ready();
    const begun = performance.now();
    let printed = 0;
    while (performance.now() - begun < seconds * 1_000) {
      const due = Math.floor(((performance.now() - begun) / 1_000) * linesASecond) - printed;
      selected.print(due);
      others.print(Math.ceil(due / 10));
      elsewhere.print(Math.ceil(due / 10));
      printed += due;
      // The kubelet looks at the logs now and then.
      if (random.chance(0.1)) for (const life of [selected, others, elsewhere]) await life.rotate();
      await sleep(tickMs);
    }
    for (const life of [selected, others, elsewhere]) life.finishLines();
    await untilStored(etcd(), selected.expected.size);

    const { code, afterMs } = await agent.stop();
    expect(code).toBe(0);
    expect(afterMs).toBeLessThan(5_000);
    expect(agent.complaints).toEqual([]);
    expect(agent.scrapes).toBeGreaterThan(20);

    const records = await allStored(etcd());
    expect(selected.expected.judge(records)).toEqual(nothingWrong);
    expect(records.length).toBe(selected.expected.size);
    expect(records.length).toBeGreaterThan(linesASecond * seconds * 0.9);
    for (const { key, lease } of records) {
      expect(key).toMatch(/^logs\/[0-9a-f]{32}\/\d{19}\/[0-9a-f]{16}-[0-9a-f]{12}$/);
      expect(lease, key).not.toBe('0');
    }
    const moments = new Set(records.map(({ traceId, unixNano }) => `${traceId}/${unixNano}`));
    expect(records.length - moments.size, 'records of one trace and one nanosecond').toBeGreaterThan(100);
    const nodes = records.map(({ value }) => /"node":"([^"]*)"\}\}$/.exec(value.toString('latin1'))?.[1]);
    expect(new Set(nodes)).toEqual(new Set(['node-1']));
    const { grantedTTL } = await etcd().client.leaseClient.leaseTimeToLive({ ID: records[0]!.lease });
    // At least TTL, and at most a fiftieth more: keys share leases.
    expect(Number(grantedTTL)).toBeGreaterThanOrEqual(48 * 3_600);
    expect(Number(grantedTTL)).toBeLessThan(49 * 3_600);

    expect(selected.counts.rotations).toBeGreaterThan(5);
    expect(selected.counts.torn).toBeGreaterThan(100);
    const stopped = agent.stopped;
    expect(stopped).toMatchObject({ records: records.length, inFlight: 0, deadLettered: 0 });
  });
});
