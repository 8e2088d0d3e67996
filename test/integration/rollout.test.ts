import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { etcdForAll } from '../support/etcd-for-all.ts';
import { allStored, ownText, testNode, untilStored, writeRecords } from './node.ts';

const etcd = etcdForAll();

describe('a rollout', () => {
  it('leaves no line unread, none read twice, and the next agent follows within seconds', async () => {
    const node = await testNode(etcd());
    const labels = { app: 'snowplow' };
    const { uid } = node.api.addPod({ namespace: 'demo-system', name: 'web-0', labels }).metadata;
    const path = join(node.podLogDir, `demo-system_web-0_${uid}`, 'app', '0.log');
    const written = writeRecords(path, 500);
    const before = await node.startAgent();
    await untilStored(etcd(), written.length);

    written.push(...writeRecords(path, 500));
    const stopping = before.stop();
    written.push(...writeRecords(path, 500));
    expect(await stopping).toMatchObject({ code: 0 });
    written.push(...writeRecords(path, 500));
    const after = await node.startAgent();
    await untilStored(etcd(), written.length, 10_000);
    written.push(...writeRecords(path, 500));
    await untilStored(etcd(), written.length, 5_000);

    expect((await after.stop()).code).toBe(0);
    const lines = [before, after].map(({ stopped }) => Number(stopped?.['lines']));
    expect(lines[0]! + lines[1]!).toBe(written.length);
    expect((await allStored(etcd())).map(({ value }) => ownText(value)).toSorted()).toEqual(
      written.toSorted(),
    );
    expect([...before.complaints, ...after.complaints]).toEqual([]);
  });
});
