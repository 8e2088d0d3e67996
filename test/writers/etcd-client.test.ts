import { expect, it } from 'vitest';
import { makeEtcdClient } from '../../src/writers/etcd-client.ts';

it('leaves the stack traces of others as they are', async () => {
  const { stackTraceLimit } = Error;
  const secrets = { password: undefined, ca: undefined, cert: undefined, key: undefined };
  const client = makeEtcdClient('http://127.0.0.1:1', undefined, secrets);
  const limits: number[] = [];
  const options = { deadline: Date.now() + 5_000 };
  const call = client.transact(Buffer.alloc(0), options, () => limits.push(Error.stackTraceLimit));
  await expect(call).rejects.toThrow();
  client.close();
  expect([...limits, Error.stackTraceLimit]).toEqual([stackTraceLimit, stackTraceLimit]);
});
