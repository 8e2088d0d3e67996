import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { traceState } from '../../src/trace/judge-trace.ts';
import type { Nodes } from '../../src/trace/known-node.ts';
import { ObjectTraceReader } from '../../src/trace/object-trace-reader.ts';
import type { TraceState } from '../../src/trace/trace-state.ts';
import { encodeNodeReport, nodeObject } from '../../src/writers/node-report.ts';
import type { ObjectStore } from '../../src/writers/object-store.ts';
import { ObjectWriter } from '../../src/writers/object-writer.ts';
import { memoryStore } from '../support/memory-store.ts';
import { nodeReport } from '../support/node-reports.ts';
import { record } from '../support/records.ts';

const { signal } = new AbortController();
const refused = Object.assign(new Error('not valid for its storage class'), { name: 'InvalidObjectState' });

/** The state of a trace of a minute ago with a record of each of some nodes, where others tell of themselves. */
async function stateOf(wrote: readonly string[], tell: readonly string[]): Promise<TraceState> {
  const store = memoryStore();
  const options = { name: 's3', prefix: 'p/', objectBytes: 1, objectAgeMs: 1, gzipLevel: 1 };
  const writer = new ObjectWriter({ ...options, store });
  const time = Date.now() - 60_000;
  for (const [n, node] of wrote.entries()) {
    const source = { node, namespace: 'ns', pod: 'pod', container: 'main' };
    const known = { id: `0123456789abcdef-${String(n).padStart(12, '0')}`, unixNano: `${time + n}000000` };
    await writer.writeBatch([record('{"traceId":"t1"}', { ...known, source })], signal);
  }
  for (const node of tell) {
    await store.put(nodeObject('p/', node), gzipSync(encodeNodeReport(nodeReport(node))), signal);
  }
  const reader = new ObjectTraceReader(store, 'p/');
  const nodes = await reader.nodes(signal);
  const records = await Array.fromAsync(reader.read('t1', signal));
  expect(records).toHaveLength(wrote.length);
  const span = { first: records[0]!.unixNano, last: records.at(-1)!.unixNano };
  return traceState({ ...span, nodes: reader.nodesSeen }, nodes, { nowMs: Date.now(), graceMs: 0 });
}

describe('the state of a trace in a bucket', () => {
  it('is complete where all whose records were seen tell of themselves, whatever they are called', async () => {
    expect(await stateOf(['a', 'ö/%', 'ö/%'], ['a', 'ö/%', 'idle'])).toMatchObject({ state: 'complete' });
  });

  it('is not where a node has records and tells nothing', async () => {
    expect(await stateOf(['a', 'b/1'], ['a'])).toMatchObject({
      state: 'unknown',
      nodes: ['b/1'],
      doubts: [{ node: 'b/1', why: 'untold' }],
      watermark: null,
    });
    const nobody = await stateOf(['a'], []);
    expect(nobody).toMatchObject({ state: 'unknown', nodes: [] });
    expect(nobody.reason).toContain('no agent tells how far it is');
  });

  it('takes records without a name of a node for those of one that tells and has no others', async () => {
    expect(await stateOf([''], ['host'])).toMatchObject({ state: 'complete' });
    expect(await stateOf(['', 'a'], ['a'])).toMatchObject({
      state: 'unknown',
      nodes: ['a node without a name'],
    });
  });
});

describe('what nodes tell in a bucket', () => {
  it('is no good news of one whose report cannot be read, and leaves the others', async () => {
    const report = gzipSync(encodeNodeReport(nodeReport('n1')));
    const store = memoryStore({
      list: () => Readable.from(['p/nodes/n1.json.gz', 'p/nodes/n%2F2.json.gz']),
      find: async (name) => await (name.includes('n1') ? Promise.resolve(report) : Promise.reject(refused)),
    });
    const { nodes } = await nodesIn(store);
    expect(nodes.map(({ node, report: told, live }) => [node, told?.node, live])).toEqual([
      ['n1', 'n1', true],
      ['n/2', undefined, false],
    ]);
  });

  it('is nothing, with the reason, where it cannot be listed', async () => {
    expect(await nodesIn(memoryStore({ list: failing }))).toEqual({
      nodes: [],
      trouble: 'what the nodes tell cannot be listed: not valid for its storage class',
    });
  });

  it.each<Partial<ObjectStore>>([
    { list: failing },
    { list: () => Readable.from(['p/nodes/n1.json.gz']), find: () => Promise.reject(refused) },
  ])('is not asked on where somebody stops', async (broken) => {
    const reason = new Error('stopped');
    await expect(nodesIn(memoryStore(broken), AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

/** A listing that is refused. */
function failing(): AsyncIterable<string> {
  return new Readable({ read: () => undefined }).destroy(refused);
}

async function nodesIn(store: ObjectStore, of = signal): Promise<Nodes> {
  return await new ObjectTraceReader(store, 'p/').nodes(of);
}
