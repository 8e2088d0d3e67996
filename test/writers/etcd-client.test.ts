import { expect, it } from 'vitest';
import { CALL_MS, makeEtcdClient } from '../../src/writers/etcd-client.ts';
import { EtcdFailure } from '../../src/writers/etcd-errors.ts';
import { MESSAGE_HEAD } from '../../src/writers/grpc-channel.ts';
import { startEtcd } from '../support/etcd.ts';
import { startFakeEtcd } from '../support/fake-etcd.ts';

const secrets = { password: undefined, ca: undefined, cert: undefined, key: undefined };
const deadline = Date.now() + 60_000;

it('waits for no answer longer than any call may take, also where the clock was set back', async () => {
  await using etcd = await startEtcd();
  const client = makeEtcdClient(etcd.url, undefined, secrets);
  etcd.freeze();
  const begun = performance.now();
  const late = client.transact(
    Buffer.alloc(MESSAGE_HEAD),
    { deadline: Date.now() + 3_600_000 },
    () => undefined,
  );
  await expect(late).rejects.toThrow('DEADLINE_EXCEEDED');
  expect(performance.now() - begun).toBeGreaterThan(CALL_MS - 100);
  client.close();
});

it('makes no transaction when it is closed, and asks for a new client', async () => {
  await using etcd = await startFakeEtcd();
  const client = makeEtcdClient(etcd.url, undefined, secrets);
  const transact = (): Promise<void> =>
    client.transact(Buffer.alloc(MESSAGE_HEAD), { deadline }, () => undefined);
  await transact();
  client.close();
  const error = await transact().catch((reason: unknown) => reason);
  expect(new EtcdFailure(error).remedy).toBe('new-client');
  expect(etcd.calls).toHaveLength(1);
});
