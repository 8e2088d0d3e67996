import { ClientClosedError } from 'etcd3';
import { expect, it } from 'vitest';
import { EtcdConnection } from '../../src/writers/etcd-connection.ts';
import { noAccess } from '../support/etcd-writer.ts';

const { signal } = new AbortController();
const connection = (): EtcdConnection => new EtcdConnection({ servers: ['http://127.0.0.1:1'], ...noAccess });

it('makes a call again at once, with a new client, where the one in use was closed', async () => {
  const used = new Set<unknown>();
  const own = connection();
  const call = own.call(async (client) => {
    used.add(client);
    if (used.size === 1) throw new ClientClosedError('KV');
    return await Promise.resolve('done');
  }, signal);
  await expect(call).resolves.toBe('done');
  expect(used.size).toBe(2);
  await own.close();
});

it('makes no new client for a call that was under way when it was closed itself', async () => {
  let calls = 0;
  const own = connection();
  const call = own.call(async () => {
    calls++;
    await own.close();
    throw new ClientClosedError('KV');
  }, signal);
  await expect(call).rejects.toThrow('already closed');
  expect(calls).toBe(1);
});
