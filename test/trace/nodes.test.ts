import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EtcdTraceReader } from '../../src/trace/etcd-trace-reader.ts';
import { FileTraceReader } from '../../src/trace/file-trace-reader.ts';
import { knownNodeKey, nodeKey } from '../../src/writers/node-report.ts';
import { startEtcd } from '../support/etcd.ts';
import { etcdWriter, noAccess, records } from '../support/etcd-writer.ts';
import { nodeReport, tellEtcd, tellFile } from '../support/node-reports.ts';

const never = new AbortController().signal;

describe('what the agents tell of their nodes', () => {
  it('is read from etcd: who is heard, who was, and what cannot be read', async () => {
    await using etcd = await startEtcd();
    await tellEtcd(etcd, nodeReport('n2'));
    await tellEtcd(etcd, nodeReport('n/1'), { live: false });
    await etcd.client.put(nodeKey('n3')).value('{"version":2}').exec();
    await etcd.client.put(knownNodeKey('n3')).value('{"version":2}').exec();
    const { nodes } = await withReader([etcd.url], (reader) => reader.nodes(never));
    expect(nodes.map(({ node, live, report }) => [node, live, report?.containers])).toEqual([
      ['n/1', false, 3],
      ['n2', true, 3],
      ['n3', true, undefined],
    ]);
  });

  it('is none in an etcd without agents, and may be forbidden while the logs may be read', async () => {
    const user = { name: 'reader', password: 'x', permissions: [{ prefix: 'logs/', type: 'Read' as const }] };
    await using etcd = await startEtcd({ rootPassword: 'root', users: [user] });
    const root = { username: 'root', password: 'root' };
    expect(await withReader([etcd.url], (reader) => reader.nodes(never), root)).toEqual({ nodes: [] });
    const found = await withReader([etcd.url], (reader) => reader.nodes(never), {
      username: user.name,
      password: user.password,
    });
    expect(found).toEqual({ nodes: [], trouble: expect.stringContaining('«read» on frostbeat/') as string });
  });

  it('is read from beside the file, where only what was told lately is heard', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'frostbeat-test-'));
    const path = join(directory, 'records.ndjson');
    expect(await new FileTraceReader(path).nodes(never)).toEqual({ nodes: [] });
    await tellFile(path, nodeReport('n1'));
    await tellFile(path, nodeReport('n2', { published: new Date(Date.now() - 16_000).toISOString() }));
    await tellFile(path, nodeReport('n3', { stopped: true }));
    const { nodes } = await new FileTraceReader(path).nodes(never);
    expect(nodes.map(({ node, live }) => [node, live])).toEqual([
      ['n1', true],
      ['n2', false],
      ['n3', false],
    ]);
    await rm(directory, { recursive: true });
  });
});

describe('the span of a trace in etcd', () => {
  it('is that of a moment, and found without reading many keys of a long trace', async () => {
    await using etcd = await startEtcd();
    await using writer = etcdWriter([etcd.url]);
    const all = records(25_000, { traceId: 't' });
    for (let n = 0; n < all.length; n += 1_000) await writer.writeBatch(all.slice(n, n + 1_000), never);
    await withReader([etcd.url], async (reader) => {
      const mark = await reader.now(never);
      await writer.writeBatch(
        records(1, { traceId: 't', unixNano: '1800000000000000000', id: 'late' }),
        never,
      );
      const [first, last] = [all[0]!.unixNano, all.at(-1)!.unixNano];
      expect(await reader.span('t', mark, never)).toEqual({ first, last });
      expect(await reader.span('t', await reader.now(never), never)).toEqual({
        first,
        last: '1800000000000000000',
      });
      expect(await reader.span('u', mark, never)).toBeUndefined();
      const since = reader.between('t', { after: mark, upTo: await reader.now(never) }, never);
      expect((await Array.fromAsync(since)).flat().map(({ id }) => id)).toEqual(['late']);
    });
  });
});

async function withReader<T>(
  servers: readonly string[],
  use: (reader: EtcdTraceReader) => Promise<T>,
  access: Partial<typeof noAccess> = {},
): Promise<T> {
  const reader = new EtcdTraceReader({ servers, ...noAccess, ...access });
  try {
    return await use(reader);
  } finally {
    await reader.close();
  }
}
