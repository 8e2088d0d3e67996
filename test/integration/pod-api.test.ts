import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { etcdForAll } from '../support/etcd-for-all.ts';
import type { KubeApi } from '../support/kube-api/kube-api.ts';
import { until } from '../support/until.ts';
import { allStored, ownText, testNode, untilStored, writeRecords } from './node.ts';

const etcd = etcdForAll();

const labels = { app: 'snowplow' };

describe('a pod API', () => {
  it('that refuses is told of with the permission that is missing, and asked until it grants', async () => {
    const node = await testNode(etcd());
    const { uid } = node.api.addPod({ namespace: 'demo-system', name: 'web-0', labels }).metadata;
    const written = writeRecords(join(node.podLogDir, `demo-system_web-0_${uid}`, 'app', '0.log'), 10);
    node.api.break({ kind: 'refuse', status: 403 });
    const agent = await node.startAgent();
    await until(() => agent.complaints.length > 0, { what: 'a word of the refusal' });
    await sleep(3_000);
    expect(agent.complaints).toHaveLength(1);
    for (const text of [agent.complaints[0], (await agent.readiness()).text]) {
      expect(text).toContain('Grant service account frostbeat in namespace frostbeat');
      expect(text).toContain('the verbs list and watch on pods in namespace demo-system');
    }
    expect((await agent.readiness()).status).toBe(503);
    expect(agent.ended).toBe(false);

    node.api.heal();
    await untilStored(etcd(), written.length);
    await agent.ready();
    expect(await storedTexts()).toEqual(written.toSorted());
  });

  const faults: [string, (api: KubeApi) => void][] = [
    [
      'drops every connection',
      (api) => {
        api.break({ kind: 'drop' });
        api.dropConnections();
      },
    ],
    [
      'hangs',
      (api) => {
        api.break({ kind: 'hang' });
        api.dropConnections();
      },
    ],
    ['keeps watches open and says nothing', (api) => api.silenceWatches()],
    [
      'has forgotten the version',
      (api) => {
        api.endWatches();
        api.compact();
      },
    ],
    [
      'tells watches that their version expired',
      (api) => {
        api.compact();
        api.expireWatches();
      },
    ],
    [
      'answers 410 to all',
      (api) => {
        api.break({ kind: 'refuse', status: 410 });
        api.endWatches();
      },
    ],
    [
      'is overloaded',
      (api) => {
        api.break({ kind: 'refuse', status: 429, retryAfterSeconds: 1 });
        api.endWatches();
      },
    ],
  ];

  it('that fails in every way while pods come and go loses no record of them', async () => {
    const node = await testNode(etcd());
    const written: string[] = [];
    const add = (name: string, app = 'snowplow') => {
      const { uid } = node.api.addPod({ namespace: 'demo-system', name, labels: { app } }).metadata;
      return join(node.podLogDir, `demo-system_${name}_${uid}`);
    };
    const agent = await node.startAgent();
    await agent.ready();
    let old = add('pod-old');
    written.push(...writeRecords(join(old, 'app', '0.log'), 10));
    await untilStored(etcd(), written.length);
    let name = 'pod-old';

    for (const [index, [what, fail]] of faults.entries()) {
      fail(node.api);
      const born = add(`pod-${index}`);
      written.push(...writeRecords(join(born, 'app', '0.log'), 10));
      // One that is followed already goes, with its directory, before anybody tells.
      written.push(...writeRecords(join(old, 'app', '0.log'), 10));
      node.api.deletePod('demo-system', name);
      // One that the API tells only when its directory is long gone, and one that is not selected.
      const brief = add(`brief-${index}`);
      written.push(...writeRecords(join(brief, 'app', '0.log'), 10));
      const stranger = add(`stranger-${index}`, 'other');
      writeRecords(join(stranger, 'app', '0.log'), 10);
      await sleep(1_000);
      for (const directory of [old, brief, stranger]) rmSync(directory, { recursive: true });
      await sleep(500);
      node.api.heal();
      await untilStored(etcd(), written.length, 10_000).catch((cause: unknown) => {
        throw new Error(`Records are missing after an API that ${what}`, { cause });
      });
      node.api.deletePod('demo-system', `brief-${index}`);
      old = born;
      name = `pod-${index}`;
    }
    await agent.ready();
    await until(async () => (await agent.metric('pods')) === 1, { timeoutMs: 15_000, what: 'one pod left' });
    await until(async () => (await agent.metric('pods_held')) === 0, {
      timeoutMs: 15_000,
      what: 'strangers let go',
    });
    expect(await storedTexts()).toEqual(written.toSorted());
    expect(agent.complaints.length).toBeLessThan(3 * faults.length);
    // Over a list nobody can tell whether a pod that came and went was selected: of these strangers that is said.
    const unknown = agent.log.flatMap(({ directories }) => (directories ?? []) as readonly string[]);
    expect(unknown.filter((directory) => !directory.includes('_stranger-'))).toEqual([]);
    expect(await agent.metric('pods_unknown_total')).toBe(unknown.length);
    expect((await agent.stop()).code).toBe(0);
  });
});

async function storedTexts(): Promise<string[]> {
  return (await allStored(etcd())).map(({ value }) => ownText(value)).toSorted();
}
