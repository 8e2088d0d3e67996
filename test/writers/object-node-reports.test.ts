import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { objectNodes } from '../../src/trace/object-nodes.ts';
import { ObjectNodeReports } from '../../src/writers/object-node-reports.ts';
import type { ObjectStore } from '../../src/writers/object-store.ts';
import { memoryStore } from '../support/memory-store.ts';
import { nodeReport } from '../support/node-reports.ts';

const { signal } = new AbortController();

const reportsIn = (store: ObjectStore, objectAgeMs = 60_000): ObjectNodeReports =>
  new ObjectNodeReports({ name: 's3', store, prefix: 'p/', objectAgeMs });

it('keeps one object for each node, whatever it is called, outside of the hours', async () => {
  const store = memoryStore();
  const { objects } = store;
  const reports = reportsIn(store);
  expect(await reports.last('../n', signal)).toBeUndefined();
  await reports.publish(nodeReport('../n'), signal);
  await reports.publish(nodeReport('../n', { containers: 7 }), signal);
  expect([...objects.keys()]).toEqual(['p/nodes/..%2Fn.json.gz']);
  expect(await reports.last('../n', signal)).toMatchObject({ node: '../n', containers: 7 });
});

it('is told as often as objects are written, at most once a second and at least once a minute', () => {
  const store = memoryStore();
  const ages = [1, 20_000, 3_600_000];
  expect(ages.map((age) => reportsIn(store, age).everyMs)).toEqual([1_000, 20_000, 60_000]);
});

it('what cannot be read is no good news of a node', async () => {
  const store = memoryStore();
  const { objects } = store;
  await reportsIn(store).publish(nodeReport('n1', { published: new Date().toISOString() }), signal);
  objects.set('p/nodes/torn.json.gz', gzipSync('{"version":1').subarray(0, 20));
  objects.set('p/nodes/later.json.gz', gzipSync('{"version":2}'));
  objects.set('p/nodes/denied.json.gz', gzipSync('{}'));
  objects.set('p/2026-01-01/00/n1/1-2-x.ndjson.gz', gzipSync('{}'));
  const find: ObjectStore['find'] = async (name) =>
    name.includes('denied') ? undefined : await store.find(name, signal);
  const { nodes } = await objectNodes({ store: { ...store, find }, prefix: 'p/' }, signal);
  expect(nodes.map(({ node, report, live }) => [node, report !== undefined, live])).toEqual([
    ['n1', true, true],
    ['torn', false, false],
    ['later', false, false],
    ['denied', false, false],
  ]);
});

it.each([
  [true, undefined],
  [undefined, 'whether p/nodes/n1.json.gz may be written cannot be tried here'],
])(
  'tries whether it may be written with what is there, or beside what may not be read: %s',
  async (may, says) => {
    const store = memoryStore({
      mayPut: async (name, bytes) => {
        // A server that does not know conditions.
        await store.put(name, bytes, signal);
        return may;
      },
    });
    const unread = { ...store, find: async () => await Promise.resolve(undefined) };
    const report = nodeReport('n1', { watermark: '2026-11-24T12:00:00Z' });
    await reportsIn(store).publish(report, signal);
    expect(await reportsIn(unread).check('n1', signal)).toBe(says);
    expect(await reportsIn(store).check('n1', signal)).toBe(says);
    const { nodes } = await objectNodes({ store, prefix: 'p/' }, signal);
    expect(nodes).toMatchObject([{ node: 'n1', report }]);
    expect([...store.objects.keys()]).toEqual(['p/nodes/n1.json.gz', 'p/nodes/n1.json.gz.tried']);
  },
);

it('says that it may not be written', async () => {
  const store = memoryStore({ mayPut: async () => await Promise.resolve(false) });
  await expect(reportsIn(store).check('n1', signal)).rejects.toThrow(
    'Cannot use mem://logs: access is denied to write p/nodes/n1.json.gz',
  );
});
