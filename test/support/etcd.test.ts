import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { startEtcd, startEtcdCluster } from './etcd.ts';
import { until } from './until.ts';

describe('the etcd server of the tests', () => {
  it('answers, keeps its data over a restart, and leaves no process behind', async () => {
    let pid: number | undefined;
    {
      await using etcd = await startEtcd();
      await etcd.client.put('a').value('b').exec();
      await etcd.stop();
      await etcd.restart();
      expect(await etcd.client.get('a').string()).toBe('b');
      pid = etcd.pid;
    }
    expect(() => process.kill(pid!, 0)).toThrow('ESRCH');
  });

  it('ends with a test process that is killed', async () => {
    const { stdout } = spawnSync(process.execPath, ['test/support/etcd.crash.mjs'], { encoding: 'utf8' });
    const [pid, directory] = JSON.parse(stdout) as [number, string];
    expect(pid).toBeGreaterThan(1);
    const gone = () => {
      try {
        return !process.kill(pid, 0);
      } catch {
        return true;
      }
    };
    await until(gone, { what: 'the end of the orphaned etcd' });
    await rm(directory, { recursive: true });
  });

  it('runs with authentication, mutual TLS and a quota', async () => {
    await using etcd = await startEtcd({
      tls: 'mutual',
      rootPassword: 'root-pw',
      jwt: true,
      quotaBytes: 16 * 2 ** 20,
      users: [{ name: 'u', password: 'p', permissions: [{ prefix: 'logs/', type: 'Readwrite' }] }],
    });
    expect(etcd.url).toMatch(/^https:/);
    await etcd.client.put('logs/x').value('y').exec();
    expect(await etcd.client.get('logs/x').string()).toBe('y');
  });

  it('runs as a cluster that finds a new leader', async () => {
    await using cluster = await startEtcdCluster();
    const leader = await cluster.leader();
    await leader.kill();
    const other = await until(() => cluster.leader().catch(() => undefined), {
      timeoutMs: 20_000,
      what: 'a new leader',
    });
    expect(other.url).not.toBe(leader.url);
    await leader.restart();
  });
});
