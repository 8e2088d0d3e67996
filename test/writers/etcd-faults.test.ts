import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { RetryAfterError } from '../../src/writers/log-writer.ts';
import { startEtcd, startEtcdCluster } from '../support/etcd.ts';
import { etcdWriter, records, stored } from '../support/etcd-writer.ts';
import { until } from '../support/until.ts';

const never = new AbortController().signal;

describe('the etcd writer on the bad days of its server', () => {
  it('says that nothing listens, and writes as soon as something does', async () => {
    await using etcd = await startEtcd();
    await etcd.stop();
    await using writer = etcdWriter([etcd.url]);
    for (let n = 0; n < 10; n++) {
      await expect(writer.writeBatch(records(1), never)).rejects.toThrow(
        `Cannot write to etcd (${etcd.url}): no connection (ECONNREFUSED)`,
      );
    }
    await expect(writer.check(never)).rejects.toThrow('Cannot write to etcd');
    await etcd.restart();
    await writer.writeBatch(records(1), never);
    expect((await stored(etcd)).size).toBe(1);
  });

  it('gives up on a frozen server in time, and writes when it goes on', async () => {
    await using etcd = await startEtcd();
    await using writer = etcdWriter([etcd.url]);
    await writer.writeBatch(records(1), never);
    etcd.freeze();
    const begun = performance.now();
    await expect(writer.writeBatch(records(2), never)).rejects.toThrow('no answer in time');
    expect(performance.now() - begun).toBeLessThan(7_000);
    etcd.thaw();
    await writer.writeBatch(records(2), never);
    expect((await stored(etcd)).size).toBe(2);
  });

  it('ends a call at once when it is no longer wanted', async () => {
    await using etcd = await startEtcd();
    await using writer = etcdWriter([etcd.url]);
    await writer.writeBatch(records(1), never);
    etcd.freeze();
    const stop = new AbortController();
    const write = writer.writeBatch(records(2), stop.signal);
    const begun = performance.now();
    stop.abort(new Error('the agent stops'));
    await expect(write).rejects.toThrow('the agent stops');
    expect(performance.now() - begun).toBeLessThan(500);
    await expect(writer.writeBatch(records(2), stop.signal)).rejects.toThrow('the agent stops');
  });

  it('tells an operator what to do about a full database, and goes on afterwards', async () => {
    await using etcd = await startEtcd({ quotaBytes: 4 * 2 ** 20 });
    await using writer = etcdWriter([etcd.url], { ttlMs: 0 });
    const fill = async (): Promise<unknown> => {
      // The server knows its size only as of its last commit to disk: it takes some more than its quota.
      for (let n = 0; n < 200; n++) {
        await writer.writeBatch(records(1, { traceId: `t${n}`, text: 'x'.repeat(500_000) }), never);
      }
      return undefined;
    };
    const error = await fill().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RetryAfterError);
    expect((error as RetryAfterError).delayMs).toBeGreaterThanOrEqual(5_000);
    expect((error as RetryAfterError).message).toMatch(/NOSPACE.*Compact.*defragment.*disarm.*shorter TTL/);
    await expect(writer.check(never), 'it answers').resolves.toBeUndefined();
    await using fresh = etcdWriter([etcd.url]);
    await expect(fresh.check(never), 'before the first record').rejects.toThrow('NOSPACE');

    await etcd.client.delete().prefix('logs/').exec();
    const { header } = await etcd.client.kv.range({ key: Buffer.from('x') });
    await etcd.client.kv.compact({ revision: header.revision, physical: true });
    await etcd.client.maintenance.defragment();
    const { alarms } = await etcd.client.maintenance.alarm({ action: 'Get' });
    for (const alarm of alarms) await etcd.client.maintenance.alarm({ ...alarm, action: 'Deactivate' });
    await writer.writeBatch(records(1), never);
  });

  it('leaves nothing that keeps the process alive', async () => {
    await using etcd = await startEtcd();
    const script = `
      const { EtcdWriter } = await import('./src/writers/etcd-writer.ts');
      const { records } = await import('./test/support/etcd-writer.ts');
      const writer = new EtcdWriter({ servers: [process.argv[1]], ttlMs: 60_000 });
      await writer.check(new AbortController().signal);
      await writer.writeBatch(records(1), new AbortController().signal);
      await writer.close();`;
    const args = ['--input-type=module', '-e', script, etcd.url];
    await expect(promisify(execFile)(process.execPath, args, { timeout: 10_000 })).resolves.toMatchObject({
      stderr: '',
    });
  });
});

describe('the etcd writer and a cluster', () => {
  it('goes to another member when one freezes or the leader is killed', async () => {
    await using cluster = await startEtcdCluster();
    await using writer = etcdWriter(cluster.urls);
    const write = async (trace: string): Promise<number> => {
      const begun = performance.now();
      const done = () =>
        writer.writeBatch(records(20, { traceId: trace }), never).then(
          () => true,
          () => false,
        );
      await until(done, { timeoutMs: 30_000, what: `the records of ${trace}` });
      return performance.now() - begun;
    };
    await write('before');

    const leader = await cluster.leader();
    await leader.kill();
    await write('leader killed');
    await leader.restart();

    const frozen =
      (await cluster.leader()) === cluster.members[0] ? cluster.members[1]! : cluster.members[0]!;
    frozen.freeze();
    await write('follower frozen, first');
    // It has moved on: no further write waits for the frozen one. One may wait for a leader: on a busy machine the two
    // that are left elect another when heartbeats come late.
    const slow: number[] = [];
    for (let n = 0; n < 20; n++) {
      const took = await write(`follower frozen, ${n}`);
      if (took > 2_000) slow.push(took);
    }
    expect(slow.length).toBeLessThanOrEqual(1);
    frozen.thaw();
    expect((await stored(await cluster.leader())).size).toBe(20 * 23);
  });
});
