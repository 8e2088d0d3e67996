import { afterAll, beforeAll } from 'vitest';
import { startEtcd, type TestEtcd } from './etcd.ts';

/**
 * An etcd for all tests of a file, or of a `describe`: it starts before the first and ends behind the last.
 *
 * @returns gives it, in tests and their hooks.
 */
export function etcdForAll(): () => TestEtcd {
  let etcd: TestEtcd | undefined;
  beforeAll(async () => {
    etcd = await startEtcd();
  });
  afterAll(() => etcd?.[Symbol.asyncDispose]());
  return () => {
    if (etcd === undefined) throw new Error('Cannot give an etcd: it starts before the first test');
    return etcd;
  };
}
