import { describe, expect, it } from 'vitest';
import { conformance, type Subject } from '../../src/testing/conformance.ts';
import { etcdForAll } from '../support/etcd-for-all.ts';

const etcd = etcdForAll();

const subject: Subject = {
  writer: 'etcd',
  get options() {
    return { ETCD_SERVERS: etcd().url };
  },
  stored: async () => {
    const { kvs } = await etcd().client.getAll().prefix('logs/').exec();
    return kvs.map(({ value }) => value);
  },
  repeats: 'once',
  server: {
    kill: () => etcd().kill(),
    restart: () => etcd().restart(),
    freeze: () => etcd().freeze(),
    thaw: () => etcd().thaw(),
  },
  slow: {
    get server() {
      return etcd().url;
    },
    options: (port) => ({ ETCD_SERVERS: `127.0.0.1:${port}` }),
    timeoutMs: 5_000,
  },
  refused: [`"large":"${'x'.repeat(2 * 2 ** 20)}"`],
  mistakes: [
    {
      title: 'a user where etcd knows none',
      options: { ETCD_USERNAME: 'nobody', ETCD_PASSWORD: 'secret' },
      says: /authentication is not enabled/,
    },
  ],
};

describe('the writer etcd', () => {
  it.each(conformance(subject))('$title', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});
