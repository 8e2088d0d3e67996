import { describe, expect, it } from 'vitest';
import { EtcdTraceReader } from '../../src/trace/etcd-trace-reader.ts';
import type { StoredRecord } from '../../src/trace/stored-record.ts';
import { startEtcdCluster } from '../support/etcd.ts';
import { etcdForAll } from '../support/etcd-for-all.ts';
import { etcdWriter, noAccess, records } from '../support/etcd-writer.ts';
import { record } from '../support/records.ts';

const never = new AbortController().signal;

describe('reading a trace from etcd', () => {
  const etcd = etcdForAll();

  it('gives the records of one trace alone, in order, byte for byte', async () => {
    await using writer = etcdWriter([etcd().url]);
    const bytes = Buffer.from([0x7b, 0xff, 0x7d]);
    const time = '1700000000000000005';
    await writer.writeBatch(
      [
        record('{"late":1}', { traceId: 'a', unixNano: '1700000000000000009', id: 'x-1' }),
        record('{"twin":2}', { traceId: 'a', unixNano: time, id: 'x-2' }),
        record('{"twin":1}', { traceId: 'a', unixNano: time, id: 'x-1' }),
        record(bytes, { traceId: 'a', unixNano: '1700000000000000001', id: 'x-3' }),
        record('{"other":1}', { traceId: 'ab' }),
        record('{"other":2}', { traceId: 'a/b' }),
      ],
      never,
    );
    expect(await read('a')).toEqual([
      { unixNano: '1700000000000000001', id: 'x-3', bytes },
      { unixNano: time, id: 'x-1', bytes: Buffer.from('{"twin":1}') },
      { unixNano: time, id: 'x-2', bytes: Buffer.from('{"twin":2}') },
      { unixNano: '1700000000000000009', id: 'x-1', bytes: Buffer.from('{"late":1}') },
    ]);
    expect(await read('a/b')).toHaveLength(1);
  });

  it('gives nothing for a trace that is not known', async () => {
    expect(await read('nobody')).toEqual([]);
  });

  it('orders by time where the times have different numbers of digits, also over many pages', async () => {
    await using writer = etcdWriter([etcd().url]);
    for (const [traceId, count] of [['few', 10] as const, ['many', 300] as const]) {
      const times = Array.from({ length: count }, (_, n) => [
        String(5 + n),
        String(999_999_999_000_000_000n + BigInt(n)),
        String(1_000_000_001_000_000_000n + BigInt(n)),
        String(10_000_000_000_000_000_000n + BigInt(n)),
      ]).flat();
      await writer.writeBatch(
        times.map((unixNano) => record('{}', { traceId, unixNano })),
        never,
      );
      const sorted = times.map(BigInt).sort((a, b) => (a < b ? -1 : 1));
      expect((await read(traceId)).map(({ unixNano }) => BigInt(unixNano))).toEqual(sorted);
    }
  });

  it('reads values that are larger than a message may be, in pages', async () => {
    await using writer = etcdWriter([etcd().url]);
    const large = records(12, { traceId: 'large', text: 'x'.repeat(1_000_000) });
    await writer.writeBatch(
      [...records(200, { traceId: 'large', unixNano: '1600000000000000000' }), ...large],
      never,
    );
    const found = await read('large');
    expect(found).toHaveLength(212);
    expect(found.map(({ bytes }) => bytes.length).slice(-12)).toEqual(Array(12).fill(1_000_000));
  });

  it('ends when asked to', async () => {
    await using writer = etcdWriter([etcd().url]);
    await writer.writeBatch(records(500, { traceId: 'ends' }), never);
    const stop = new AbortController();
    const reading = async (): Promise<void> => {
      for await (const _ of reader().read('ends', stop.signal)) stop.abort(new Error('enough'));
    };
    await expect(reading()).rejects.toThrow('enough');
  });

  function reader(): EtcdTraceReader {
    return new EtcdTraceReader({ servers: [etcd().url], ...noAccess });
  }

  async function read(traceId: string): Promise<StoredRecord[]> {
    const from = reader();
    const found = await Array.fromAsync(from.read(traceId, never));
    await from.close();
    return found;
  }
});

describe('reading a trace from a cluster', () => {
  it('asks the other members when one is down', async () => {
    await using cluster = await startEtcdCluster();
    await using writer = etcdWriter(cluster.urls);
    await writer.writeBatch(records(3, { traceId: 'c' }), never);
    const leader = await cluster.leader();
    const follower = cluster.members.find((member) => member !== leader)!;
    await follower.kill();
    for (let n = 0; n < 5; n++) {
      const reader = new EtcdTraceReader({ servers: cluster.urls, ...noAccess });
      expect(await Array.fromAsync(reader.read('c', never))).toHaveLength(3);
      await reader.close();
    }
  });
});
