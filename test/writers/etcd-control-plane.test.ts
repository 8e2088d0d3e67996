import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEtcd, type TestEtcd } from '../support/etcd.ts';
import { etcdWriter } from '../support/etcd-writer.ts';
import { keptLog } from '../support/logs.ts';

const never = new AbortController().signal;

describe("the etcd writer and a cluster's own control plane", () => {
  let etcd: TestEtcd;
  beforeAll(async () => {
    etcd = await startEtcd({
      rootPassword: 'r',
      users: [
        { name: 'least', password: 'p', permissions: [{ prefix: 'logs/', type: 'Write' }] },
        { name: 'most', password: 'p', permissions: [{ prefix: '', type: 'Readwrite' }] },
      ],
    });
  });
  afterAll(() => etcd[Symbol.asyncDispose]());

  async function warnings(username: string, before?: () => Promise<unknown>): Promise<string[]> {
    const { log, lines } = await keptLog();
    await using writer = etcdWriter([etcd.url], { username, password: 'p', log });
    await before?.();
    for (let n = 0; n < 3; n++) await writer.check(never).catch(() => undefined);
    return lines.map(({ msg }) => String(msg));
  }

  it('says nothing of an etcd of its own', async () => {
    await etcd.client.put('/registryX').value('not below it');
    expect(await warnings('most')).toEqual([]);
  });

  it('warns once, at the first answer, where there are keys under /registry/', async () => {
    await etcd.client.put('/registry/pods/demo/web').value('x');
    expect(await warnings('most')).toEqual([
      expect.stringContaining('seems to be the control plane of a Kubernetes cluster'),
    ]);
    expect(await warnings('most', () => etcd.stop())).toEqual([]);
    expect(await warnings('most', () => etcd.restart())).toHaveLength(1);
  });

  it('takes no offence where it may not look', async () => {
    expect(await warnings('least')).toEqual([]);
  });
});
