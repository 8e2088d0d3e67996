import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RetryAfterError } from '../../src/writers/log-writer.ts';
import { makeCertificates } from '../support/certificates.ts';
import { startEtcd, type TestEtcd } from '../support/etcd.ts';
import { etcdWriter, mutualTls, noAccess, records, stored } from '../support/etcd-writer.ts';

const never = new AbortController().signal;
const secret = 'a-secret-that-nobody-may-see';

/** Transactions go another way than the calls of etcd3: both must say the same. */
const firstCalls = [
  ['for a lease', 3_600_000],
  ['a transaction', 0],
] as const;

describe('the etcd writer and users', () => {
  let etcd: TestEtcd;
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'frostbeat-test-'));
    etcd = await startEtcd({
      rootPassword: 'root-password',
      users: [
        { name: 'writer', password: secret, permissions: [{ prefix: 'logs/', type: 'Write' }] },
        { name: 'nobody', password: secret, permissions: [] },
        { name: 'changing', password: 'first', permissions: [{ prefix: 'logs/', type: 'Readwrite' }] },
      ],
    });
  });
  afterAll(async () => {
    await etcd[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  it('writes with the least permission: write on logs/', async () => {
    await using writer = etcdWriter([etcd.url], { username: 'writer', password: secret });
    await writer.writeBatch(records(2, { traceId: 'auth' }), never);
    await expect(writer.check(never)).resolves.toBeUndefined();
    expect([...(await stored(etcd)).keys()].filter((key) => key.startsWith('logs/auth/'))).toHaveLength(2);
  });

  describe.each(firstCalls)('whose first call is %s', (_, ttlMs) => {
    it.each([
      ['no user', {}, 'it asks for a user: set ETCD_USERNAME'],
      [
        'a wrong password',
        { username: 'writer', password: `${secret}!` },
        'check ETCD_USERNAME and ETCD_PASSWORD',
      ],
      ['a user without permission', { username: 'nobody', password: secret }, 'on the prefix logs/'],
    ])(
      'says what is wrong with %s, asks to be tried seldom, and keeps the secret',
      async (__, access, message) => {
        await using writer = etcdWriter([etcd.url], { ...access, ttlMs });
        const error = await writer.writeBatch(records(1), never).catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(RetryAfterError);
        expect((error as RetryAfterError).message).toContain(message);
        expect((error as RetryAfterError).delayMs).toBeGreaterThanOrEqual(5_000);
        expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(secret);
        expect(inspect(writer, { depth: 10 })).not.toContain(secret);
      },
    );
  });

  it('tells before the first record that the user may not write, and leaves no trace of having asked', async () => {
    await using allowed = etcdWriter([etcd.url], { username: 'writer', password: secret });
    await using refused = etcdWriter([etcd.url], { username: 'nobody', password: secret });
    const before = await revision(etcd);
    await expect(refused.check(never)).rejects.toThrow('on the prefix logs/');
    await expect(refused.check(never), 'each time').rejects.toThrow('on the prefix logs/');
    await expect(allowed.check(never)).resolves.toBeUndefined();
    expect(await revision(etcd)).toBe(before);
  });

  it('takes a changed password from its file', async () => {
    const passwordFile = join(directory, 'password');
    await writeFile(passwordFile, 'first\n');
    await using writer = etcdWriter([etcd.url], { username: 'changing', passwordFile });
    await writer.writeBatch(records(1, { traceId: 'first' }), never);

    await etcd.client.user('changing').setPassword('second');
    await expect(writer.writeBatch(records(1, { traceId: 'early' }), never)).rejects.toThrow('ETCD_PASSWORD');
    await writeFile(passwordFile, 'second');
    await writer.writeBatch(records(1, { traceId: 'late' }), never);

    await etcd.client.user('changing').setPassword('third');
    await writeFile(passwordFile, 'third');
    await writer.writeBatch(records(1, { traceId: 'third' }), never);
  });

  it('says that the server has no authentication', async () => {
    await using open = await startEtcd();
    await using writer = etcdWriter([open.url], { username: 'writer', password: secret });
    await expect(writer.writeBatch(records(1), never)).rejects.toThrow('unset ETCD_USERNAME');
  });

  it('goes on at once when a change of users makes its JWT old', async () => {
    await using jwt = await startEtcd({
      jwt: true,
      rootPassword: 'r',
      users: [{ name: 'writer', password: secret, permissions: [{ prefix: 'logs/', type: 'Readwrite' }] }],
    });
    await using writer = etcdWriter([jwt.url], { username: 'writer', password: secret });
    await writer.writeBatch(records(1, { traceId: 'before' }), never);
    await jwt.client.user('another').create('x');
    await writer.writeBatch(records(1, { traceId: 'after' }), never);
    expect(
      await jwt.client
        .getAll()
        .prefix('logs/')
        .count()
        .catch(() => 'the old token'),
    ).toBe('the old token');
  });
});

describe('the etcd writer and TLS', () => {
  it('writes over TLS with an authority of its own', async () => {
    await using etcd = await startEtcd({ tls: 'server' });
    await using writer = etcdWriter([etcd.url], { ...noAccess, caFile: etcd.certificates!.caFile });
    await writer.writeBatch(records(1), never);
    expect((await stored(etcd)).size).toBe(1);
    for (const [, ttlMs] of firstCalls) {
      await using stranger = etcdWriter([etcd.url], { ttlMs });
      // Without a CA of its own, the system's authorities count, which do not know this one.
      await expect(stranger.writeBatch(records(1), never)).rejects.toThrow('check ETCD_CA_FILE');
      await using plain = etcdWriter([etcd.url.replace('https', 'http')], { ttlMs });
      await expect(plain.writeBatch(records(1), never)).rejects.toThrow('is https:// meant');
    }
  });

  it('shows its certificate, and picks up renewed files without a restart', async () => {
    await using etcd = await startEtcd({ tls: 'mutual' });
    const access = mutualTls(etcd);
    await using writer = etcdWriter([etcd.url], access);
    await writer.writeBatch(records(1), never);
    for (const [, ttlMs] of firstCalls) {
      const without = { ...access, certFile: undefined, keyFile: undefined, ttlMs };
      await using anonymous = etcdWriter([etcd.url], without);
      await expect(anonymous.writeBatch(records(1), never)).rejects.toThrow('check ETCD_CERT_FILE');
      const { keyFile } = etcd.certificates!.server;
      await using torn = etcdWriter([etcd.url], { ...access, keyFile, ttlMs });
      await expect(torn.writeBatch(records(1), never)).rejects.toThrow('do not belong together');
    }

    // A new authority, and all certificates by it: whoever holds to the old files is refused.
    await makeCertificates(etcd.directory);
    await etcd.restart();
    await writer.writeBatch(records(2), never);
    expect((await stored(etcd)).size).toBe(2);
  });
});

/** It grows with every change of a key. */
async function revision({ client }: TestEtcd): Promise<string> {
  return (await client.kv.range({ key: Buffer.from('logs/') })).header.revision;
}
