import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../../src/record/log-record.ts';
import { EtcdTraceReader } from '../../src/trace/etcd-trace-reader.ts';
import { FileTraceReader } from '../../src/trace/file-trace-reader.ts';
import { EtcdNodeReports } from '../../src/writers/etcd-node-reports.ts';
import { FileWriter } from '../../src/writers/file-writer.ts';
import type { NodeReport } from '../../src/writers/node-report.ts';
import { startEtcd } from '../support/etcd.ts';
import { etcdWriter, noAccess } from '../support/etcd-writer.ts';
import { record } from '../support/records.ts';

const aReport = (node: string): NodeReport => ({
  version: 1,
  node,
  agent: '0.1.0',
  since: new Date().toISOString(),
  published: new Date().toISOString(),
  leaseSeconds: 15,
  watermark: null,
  lagSeconds: null,
  containers: 0,
  stopped: false,
  gaps: [],
  gapsLeftOut: 0,
});
const never = new AbortController().signal;

describe('the list of recent traces', () => {
  it('has the newest first, summed up, from etcd', async () => {
    await using etcd = await startEtcd();
    await using writer = etcdWriter([etcd.url]);
    await writer.writeBatch(shop(), never);
    expect(await recent([etcd.url], 10)).toEqual({ traces: expected });
    expect((await recent([etcd.url], 1)).traces.map(({ traceId }) => traceId)).toEqual(['a/b 🫖']);
  });

  it('has them from etcd also when its history is compacted away', async () => {
    await using etcd = await startEtcd();
    await using writer = etcdWriter([etcd.url]);
    await writer.writeBatch(shop(), never);
    const { header } = await etcd.client.kv.range({ key: Buffer.from('x') });
    await etcd.client.kv.compact({ revision: header.revision });
    const { traces, note } = await recent([etcd.url], 10);
    expect(traces).toEqual(expected);
    expect(note).toMatch(/compacted/);
  });

  it('has them also where many nodes tell how far they are', async () => {
    await using etcd = await startEtcd();
    await using writer = etcdWriter([etcd.url]);
    await writer.writeBatch(shop(), never);
    const address = { servers: [etcd.url], ...noAccess };
    const nodes = Array.from({ length: 40 }, (_, n) => ({
      node: `n${n}`,
      reports: new EtcdNodeReports({ ...address, leaseMs: 15_000, ttlMs: 172_800_000 }),
    }));
    for (let round = 0; round < 25; round++) {
      await Promise.all(nodes.map(({ node, reports }) => reports.publish(aReport(node), never)));
    }
    expect((await recent([etcd.url], 10)).traces).toEqual(expected);
    for (const { reports } of nodes) await reports.close();
  });

  it('knows the last time of a long trace, also where a line of an earlier time was written last', async () => {
    await using etcd = await startEtcd();
    await using writer = etcdWriter([etcd.url]);
    await writer.writeBatch(
      Array.from({ length: 300 }, (_, n) => long(n)),
      never,
    );
    const { header } = await etcd.client.kv.range({ key: Buffer.from('x') });
    await etcd.client.kv.compact({ revision: header.revision });
    await writer.writeBatch([{ ...long(5), id: 'late' }], never);
    const { traces } = await recent([etcd.url], 10);
    const times = { firstUnixNano: '1700000000000000100', lastUnixNano: '1700000000000000399' };
    expect(traces).toMatchObject([
      { traceId: 'long', lines: 301, partial: true, timesKnown: true, linesKnown: true, ...times },
    ]);
  });

  it('has nothing of an empty etcd', async () => {
    await using etcd = await startEtcd();
    expect((await recent([etcd.url], 10)).traces).toEqual([]);
  });

  it('has them from the file', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'frostbeat-test-'));
    const path = join(directory, 'records.ndjson');
    const writer = new FileWriter({ path, log: pino({ level: 'silent' }) });
    await writer.open();
    await writer.writeBatch(shop(), never);
    await writer.close();
    expect(await new FileTraceReader(path).recent(10, never)).toEqual({ traces: expected });
    await rm(directory, { recursive: true });
  });
});

async function recent(servers: string[], limit: number) {
  const reader = new EtcdTraceReader({ servers, ...noAccess });
  const found = await reader.recent(limit, never);
  await reader.close();
  return found;
}

const line = (traceId: string, at: number, pod: string, level: string, msg: string): LogRecord =>
  record(JSON.stringify({ level, msg, kubernetes: { namespace: 'n', pod, container: 'c', node: 'x' } }), {
    traceId,
    unixNano: `17000000000000000${at}`,
    id: `i-${at}`,
  });

const long = (n: number): LogRecord =>
  record('{"msg":"x"}', { traceId: 'long', unixNano: `1700000000000000${100 + n}`, id: `i-${n}` });

function shop(): LogRecord[] {
  return [
    line('old', 10, 'cart', 'info', 'hello'),
    line('a/b 🫖', 12, 'cart', 'info', 'begins'),
    line('a/b 🫖', 20, 'stock', 'error', 'no stock'),
    line('a/b 🫖', 30, 'cart', 'error', 'failed'),
    line('old', 11, 'cart', 'debug', 'bye'),
    // The newest, and left out.
    line('frostbeat-canary-x-20261124', 40, 'frostbeat-canary', 'info', 'a canary'),
  ];
}

const expected = [
  {
    traceId: 'a/b 🫖',
    firstUnixNano: '1700000000000000012',
    lastUnixNano: '1700000000000000030',
    lines: 3,
    pods: ['cart', 'stock'],
    nodes: ['x'],
    level: 'ERROR',
    message: 'no stock',
    partial: false,
  },
  {
    traceId: 'old',
    firstUnixNano: '1700000000000000010',
    lastUnixNano: '1700000000000000011',
    lines: 2,
    pods: ['cart'],
    nodes: ['x'],
    level: 'INFO',
    message: 'hello',
    partial: false,
  },
];
