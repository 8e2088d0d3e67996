import { describe, expect, it } from 'vitest';
import { EtcdTraceReader } from '../../src/trace/etcd-trace-reader.ts';
import { etcdForAll } from '../support/etcd-for-all.ts';
import { etcdWriter, noAccess, records } from '../support/etcd-writer.ts';
import { record } from '../support/records.ts';
import { until } from '../support/until.ts';

const never = new AbortController().signal;

describe('following a trace in etcd', () => {
  const etcd = etcdForAll();

  it('gives what is stored after the mark and nothing of before, of other traces, or written again', async () => {
    await using writer = etcdWriter([etcd().url]);
    const before = records(3, { traceId: 'f' });
    await writer.writeBatch(before, never);
    await using following = await follow('f');
    await writer.writeBatch([...before, ...records(2, { traceId: 'other' })], never);
    await writer.writeBatch([record('{"new":1}', { traceId: 'f', id: 'n-1' })], never);
    await until(() => following.seen.length > 0, { what: 'the new record' });
    await writer.writeBatch([record('{"new":2}', { traceId: 'f', id: 'n-2' })], never);
    await until(() => following.seen.length > 1, { what: 'the second record' });
    expect(following.seen).toEqual(['{"new":1}', '{"new":2}']);
  });

  it('reads what was there at the mark, so that reading and following give everything once', async () => {
    await using writer = etcdWriter([etcd().url]);
    await writer.writeBatch(records(200, { traceId: 'once' }), never);
    const reader = new EtcdTraceReader({ servers: [etcd().url], ...noAccess });
    const at = await reader.now(never);
    await writer.writeBatch([record('{"late":1}', { traceId: 'once', unixNano: '1' })], never);
    expect(await Array.fromAsync(reader.read('once', never, { at }))).toHaveLength(200);
    // Its history is forgotten meanwhile: what came later is left out all the same.
    await compact();
    expect(await Array.fromAsync(reader.read('once', never, { at }))).toHaveLength(200);
    await using following = await follow('once', at);
    await until(() => following.seen.length > 0, { what: 'the late record' });
    expect(following.seen).toEqual(['{"late":1}']);
    await reader.close();
  });

  it('goes on after an outage and after a compaction, with nothing missed and nothing twice', async () => {
    await using writer = etcdWriter([etcd().url]);
    await writer.writeBatch(records(50, { traceId: 'gap' }), never);
    await using following = await follow('gap');
    await writer.writeBatch([record('{"first":1}', { traceId: 'gap', id: 'a' })], never);
    await until(() => following.seen.length === 1, { what: 'the first record' });
    // It cannot be told of these: the server's port is closed to it by the stop, and then they are history.
    await etcd().stop();
    await etcd().restart();
    await using again = etcdWriter([etcd().url]);
    await again.writeBatch(
      Array.from({ length: 300 }, (_, n) => record(`{"n":${n}}`, { traceId: 'gap', id: `b-${1_000 + n}` })),
      never,
    );
    await compact();
    await again.writeBatch([record('{"last":1}', { traceId: 'gap', id: 'c' })], never);
    await until(() => following.seen.includes('{"last":1}'), { what: 'the last record', timeoutMs: 30_000 });
    await until(() => following.seen.length >= 302, { what: 'all records', timeoutMs: 30_000 });
    expect(new Set(following.seen).size).toBe(302);
    expect(following.seen).toHaveLength(302);
  });

  it('finds that a frozen server says nothing, and goes on when it thaws', async () => {
    await using writer = etcdWriter([etcd().url]);
    await using following = await follow('ice');
    etcd().freeze();
    setTimeout(() => etcd().thaw(), 7_000);
    await until(
      async () => {
        await writer.writeBatch(records(1, { traceId: 'ice' }), never).catch(() => undefined);
        return following.seen.length > 0;
      },
      { what: 'the record after the frost', timeoutMs: 30_000 },
    );
    expect(following.seen).toHaveLength(1);
  });

  it('is told in pieces of what would be too large for one message', async () => {
    await using writer = etcdWriter([etcd().url]);
    const mark = await revision();
    for (let n = 0; n < 8; n++) {
      await writer.writeBatch([record('x'.repeat(1_000_000), { traceId: 'big', id: `i-${n}` })], never);
    }
    await using following = await follow('big', mark);
    await until(() => following.seen.length === 8, { what: 'all of them', timeoutMs: 20_000 });
    expect(following.seen.every((text) => text.length === 1_000_000)).toBe(true);
  });

  async function follow(traceId: string, mark?: string) {
    const reader = new EtcdTraceReader({ servers: [etcd().url], ...noAccess });
    const stop = new AbortController();
    const seen: string[] = [];
    const from = mark ?? (await reader.now(never));
    const done = (async () => {
      for await (const { records: found } of reader.follow(traceId, from, stop.signal)) {
        seen.push(...found.map(({ bytes }) => bytes.toString()));
      }
    })().catch((error: unknown) => {
      if (!stop.signal.aborted) throw error;
    });
    return {
      seen,
      async [Symbol.asyncDispose]() {
        stop.abort(new Error('enough'));
        await done;
        await reader.close();
      },
    };
  }

  async function revision(): Promise<string> {
    return (await etcd().client.kv.range({ key: Buffer.from('x') })).header.revision;
  }

  async function compact(): Promise<void> {
    await etcd().client.kv.compact({ revision: await revision() });
  }
});
