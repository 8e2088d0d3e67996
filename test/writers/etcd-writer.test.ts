import { beforeEach, describe, expect, it } from 'vitest';
import { RejectedError } from '../../src/writers/log-writer.ts';
import { startEtcd } from '../support/etcd.ts';
import { etcdForAll } from '../support/etcd-for-all.ts';
import { etcdKey } from '../support/etcd-key.ts';
import { etcdWriter, records, stored } from '../support/etcd-writer.ts';
import { startFakeEtcd } from '../support/fake-etcd.ts';
import { record } from '../support/records.ts';
import { until } from '../support/until.ts';

const never = new AbortController().signal;

describe('the etcd writer', () => {
  const etcd = etcdForAll();
  beforeEach(async () => {
    await etcd().client.delete().prefix('logs/').exec();
  });

  it('writes a record byte for byte under its trace, time and identity, with a lease', async () => {
    await using writer = etcdWriter([etcd().url]);
    const bytes = Buffer.concat([
      Buffer.from('{"msg":"grüße 漢字 '),
      Buffer.from([0xff, 0xc3, 0]),
      Buffer.from('"}'),
    ]);
    await writer.writeBatch(
      [
        record(bytes, {
          traceId: 'a/b',
          unixNano: '1700000000123456789',
          id: '00000000000000aa-000000000000',
        }),
      ],
      never,
    );
    const found = await stored(etcd());
    expect([...found.keys()]).toEqual(['logs/a%2Fb/1700000000123456789/00000000000000aa-000000000000']);
    const [only] = found.values();
    expect(only!.value).toEqual(bytes);
    expect(only!.lease).not.toBe('0');
  });

  it('keeps two records of one trace and nanosecond apart', async () => {
    await using writer = etcdWriter([etcd().url]);
    const time = { traceId: 't', unixNano: '1700000000000000000' };
    await writer.writeBatch(
      [
        record('{"a":1}', { ...time, id: 'f-000000000000' }),
        record('{"a":2}', { ...time, id: 'f-000000000010' }),
      ],
      never,
    );
    expect([...(await stored(etcd())).values()].map(({ value }) => String(value))).toEqual([
      '{"a":1}',
      '{"a":2}',
    ]);
  });

  it('writes a batch of 500 in transactions of at most 128', async () => {
    await using writer = etcdWriter([etcd().url]);
    const before = await revision();
    await writer.writeBatch(records(500), never);
    expect((await stored(etcd())).size).toBe(500);
    expect((await revision()) - before).toBe(4);
  });

  it('writes a batch of many megabytes in transactions that the server takes', async () => {
    await using writer = etcdWriter([etcd().url]);
    const before = await revision();
    await writer.writeBatch(records(12, { text: 'x'.repeat(400_000) }), never);
    expect((await stored(etcd())).size).toBe(12);
    // Two of them are less than 1 MiB, three are more.
    expect((await revision()) - before).toBe(6);
  });

  it('writes a record of 1 MiB', async () => {
    await using writer = etcdWriter([etcd().url]);
    await writer.writeBatch([...records(3), record('y'.repeat(1_048_576), { traceId: 'large' })], never);
    const large = [...(await stored(etcd()))].find(([key]) => key.startsWith('logs/large/'));
    expect(large![1].value).toHaveLength(1_048_576);
  });

  it('writes keys and values of every length at which the encoding changes', async () => {
    await using writer = etcdWriter([etcd().url]);
    const lengths = [0, 7, 14, 17].flatMap((bits) => [-80, -3, -2, -1, 0, 1].map((more) => 2 ** bits + more));
    const batch = lengths
      .filter((length) => length > 0)
      .flatMap((length, n) => [
        record('v'.repeat(length), { traceId: `v${n}` }),
        record('{}', { traceId: `k${n}ü${'k'.repeat(length)}` }),
      ]);
    await writer.writeBatch(batch, never);
    const found = await stored(etcd());
    expect(found.size).toBe(batch.length);
    for (const one of batch) expect(found.get(etcdKey(one))?.value).toEqual(one.toBytes());
    expect([...found.values()].every(({ lease }) => lease !== '0')).toBe(true);
  });

  it('makes one key of a record that is written again, or twice in a batch', async () => {
    await using writer = etcdWriter([etcd().url]);
    const batch = records(3);
    await writer.writeBatch([...batch, ...batch], never);
    await writer.writeBatch(batch, never);
    expect((await stored(etcd())).size).toBe(3);
  });

  it('rejects the records that are too large for the server, and writes the others', async () => {
    await using writer = etcdWriter([etcd().url]);
    // The second exceeds etcd's limit of a request, the third gRPC's of a message.
    const batch = [
      ...records(2),
      record('x'.repeat(1_700_000)),
      record('x'.repeat(3_000_000), { traceId: 'vast' }),
    ];
    const error = await writer.writeBatch(batch, never).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RejectedError);
    const { rejections } = error as RejectedError;
    expect(rejections.map(({ record: { byteLength } }) => byteLength)).toEqual([1_700_000, 3_000_000]);
    expect(rejections[0]!.reason).toContain('--max-request-bytes');
    expect((await stored(etcd())).size).toBe(2);
  });

  it('finds the one record that makes a transaction too large for a server with a small limit', async () => {
    await using small = await startEtcd({ flags: { 'max-request-bytes': 20_000 } });
    await using writer = etcdWriter([small.url]);
    const huge = record('x'.repeat(30_000), { traceId: 'huge' });
    const batch = [...records(20, { text: 'x'.repeat(3_000) }), huge, ...records(20, { traceId: 'after' })];
    const error = await writer.writeBatch(batch, never).catch((reason: unknown) => reason);
    expect((error as RejectedError).rejections.map((rejection) => rejection.record)).toEqual([huge]);
    expect((await stored(small)).size).toBe(40);
  });

  it('is ready when the server answers', async () => {
    await using writer = etcdWriter([etcd().url]);
    await expect(writer.check(never)).resolves.toBeUndefined();
  });

  it('asks a server that it has reached for one key, and not for a range: a large store must not pay for it', async () => {
    await using fake = await startFakeEtcd();
    await using writer = etcdWriter([fake.url]);
    for (let n = 0; n < 3; n++) await writer.check(never);
    // A write is rehearsed, it is asked once whose server it is, then only whether it is there.
    expect(fake.calls.map(({ method }) => method)).toEqual(['KV/Txn', 'KV/Range', 'KV/Range', 'KV/Range']);
    expect(fake.calls.slice(1).map(({ message }) => hasRangeEnd(message))).toEqual([true, false, false]);
  });

  it('takes part of nothing after its close', async () => {
    const writer = etcdWriter([etcd().url]);
    await writer.writeBatch(records(1), never);
    await writer.close();
    await expect(writer.close()).resolves.toBeUndefined();
  });

  async function revision(): Promise<number> {
    const { header } = await etcd().client.kv.range({ key: Buffer.from('x') });
    return Number(header.revision);
  }
});

describe('the leases of the etcd writer', () => {
  it('are shared: one for the keys of a short while, for TTL and little more', async () => {
    await using etcd = await startEtcd();
    await using writer = etcdWriter([etcd.url], { ttlMs: 48 * 3_600_000 });
    for (let n = 0; n < 10; n++) await writer.writeBatch(records(20, { traceId: `t${n}` }), never);
    const leases = new Set([...(await stored(etcd)).values()].map(({ lease }) => lease));
    expect(leases.size).toBe(1);
    const { TTL } = await etcd.client.leaseClient.leaseTimeToLive({ ID: [...leases][0]! });
    expect(Number(TTL)).toBeGreaterThanOrEqual(48 * 3600);
    expect(Number(TTL)).toBeLessThanOrEqual(48 * 3600 * 1.02 + 6);
  });

  it('have at most 1,000 keys each, and none is granted for nothing', async () => {
    await using etcd = await startEtcd();
    await using writer = etcdWriter([etcd.url]);
    const batches = Array.from({ length: 40 }, (_, n) => records(100, { traceId: `t${n}` }));
    for (let n = 0; n < 40; n += 4) {
      await Promise.all(batches.slice(n, n + 4).map((batch) => writer.writeBatch(batch, never)));
    }
    const keys = new Map<string, number>();
    for (const { lease } of (await stored(etcd)).values()) keys.set(lease, (keys.get(lease) ?? 0) + 1);
    expect(Math.max(...keys.values())).toBe(1_000);
    const { leases } = await etcd.client.leaseClient.leaseLeases();
    expect(leases.length).toBeLessThanOrEqual(5);
  });

  it('end, and their keys with them', async () => {
    await using etcd = await startEtcd();
    await using writer = etcdWriter([etcd.url], { ttlMs: 2_000 });
    await writer.writeBatch(records(1), never);
    const written = performance.now();
    await until(async () => (await stored(etcd)).size === 0, {
      timeoutMs: 20_000,
      what: 'the end of the key',
    });
    const lived = performance.now() - written;
    expect(lived).toBeGreaterThan(2_000);
    // TTL + span + way + rounding, and what etcd takes to notice.
    expect(lived).toBeLessThan(2_000 + 2_000 + 2_000 + 1_000 + 2_000);
  });

  it('are replaced when the server has them no longer', async () => {
    await using etcd = await startEtcd();
    await using writer = etcdWriter([etcd.url]);
    await writer.writeBatch(records(1), never);
    const lease = [...(await stored(etcd)).values()][0]!.lease;
    await etcd.client.leaseClient.leaseRevoke({ ID: lease });
    await writer.writeBatch(records(2), never);
    const after = [...(await stored(etcd)).values()];
    expect(after).toHaveLength(2);
    expect(after[0]!.lease).not.toBe(lease);
  });

  it('are not used with TTL 0', async () => {
    await using etcd = await startEtcd();
    await using writer = etcdWriter([etcd.url], { ttlMs: 0 });
    await writer.writeBatch(records(1), never);
    expect([...(await stored(etcd)).values()].map(({ lease }) => lease)).toEqual(['0']);
    expect((await etcd.client.leaseClient.leaseLeases()).leases).toEqual([]);
  });
});

/** Whether an encoded `RangeRequest` names more than one key: its second field stands behind the key. */
function hasRangeEnd(message: Buffer): boolean {
  const behindKey = 2 + message[1]!;
  return message[behindKey] === ((2 << 3) | 2);
}
