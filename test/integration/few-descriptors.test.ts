import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Gap } from '../../src/offsets/offsets-file.ts';
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

/** More by the environment: FROSTBEAT_FILES=500 */
const files = Number(process.env['FROSTBEAT_FILES'] ?? 150);
const patience = { timeoutMs: 20_000 + files * 200 };

/** Pods that are told, each with one log file. */
function pods(node: TestNode, count: number): string[] {
  return Array.from({ length: count }, (_, n) => {
    const pod = { namespace: 'demo-system', name: `web-${n}`, labels: { app: 'snowplow' } };
    const { uid } = node.api.addPod(pod).metadata;
    return join(node.podLogDir, `demo-system_${pod.name}_${uid}`, 'app', '0.log');
  });
}

describe(`an agent that may open 100 files, on a node with ${files}`, () => {
  it(
    'reads all of them in turn as they grow, rotated and empty ones too, and tells what went while it was closed',
    { timeout: 5 * patience.timeoutMs },
    async () => {
      const node = await testNode(etcd());
      const logs = pods(node, files);
      // One in five holds nothing at first.
      const written = logs.flatMap((log, n) => writeRecords(log, n % 5 === 0 ? 0 : 1));
      const agent = await node.startAgent({}, { descriptors: 100 });
      const allAreStored = async () => {
        await untilStored(etcd(), written.length, patience.timeoutMs);
        expect(agent.descriptors().length).toBeLessThan(100);
      };
      await allAreStored();
      for (const log of logs) written.push(...writeRecords(log, 2));
      await allAreStored();
      for (const log of logs.filter((_, n) => n % 2 === 1)) {
        written.push(...writeRecords(log, 2));
        renameSync(log, `${log}.20261124-180000`);
        written.push(...writeRecords(log, 2));
      }
      await allAreStored();
      expect(agent.complaints).toEqual([]);
      const gone = logs.splice(0, 60);
      for (const log of gone) rmSync(join(log, '../..'), { recursive: true });
      for (const log of gone) node.api.deletePod('demo-system', log.split('_')[1]!);
      for (const log of logs) written.push(...writeRecords(log, 1));
      await allAreStored();
      const texts = (await allStored(etcd())).map(({ value }) => ownText(value));
      expect(texts.toSorted()).toEqual(written.toSorted());
      expect(await agent.metric('lines_read_total')).toBe(written.length);
      // Whether more was written to one that was closed nobody knows.
      const gaps = agent.log.flatMap(({ gap }) => (gap === undefined ? [] : [gap as Gap]));
      expect(gaps.length).toBeGreaterThan(0);
      expect(new Set(gaps.map(({ reason }) => reason))).toEqual(new Set(['held_files_limit']));
      const ended = new Set(gone.map((log) => log.split('/').at(-3)));
      expect(gaps.filter(({ container }) => !ended.has(container.split('/')[0]))).toEqual([]);
      expect((await agent.stop()).code).toBe(0);
    },
  );

  it(
    'starts again, though what it remembers is more than it may open',
    { timeout: 2 * patience.timeoutMs },
    async () => {
      const node = await testNode(etcd());
      const written = pods(node, 120).flatMap((log) => writeRecords(log, 1));
      const first = await node.startAgent({}, { descriptors: 100 });
      await until(() => rememberedContainers(node)?.length === 120, { what: 'all known', timeoutMs: 20_000 });
      await first.kill();
      // What it remembers it opens before it loads the rest of itself, which needs descriptors too.
      const agent = await node.startAgent({}, { descriptors: 100 });
      await agent.ready();
      await untilStored(etcd(), written.length, patience.timeoutMs);
      expect(agent.complaints).toEqual([]);
      expect((await agent.stop()).code).toBe(0);
    },
  );
});
