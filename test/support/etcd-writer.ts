import type { EtcdAccess } from '../../src/config/config.ts';
import type { LogRecord } from '../../src/record/log-record.ts';
import { EtcdWriter, type EtcdWriterOptions } from '../../src/writers/etcd-writer.ts';
import type { TestEtcd } from './etcd.ts';
import { numberedRecord } from './records.ts';

export const noAccess: EtcdAccess = {
  username: undefined,
  password: undefined,
  passwordFile: undefined,
  caFile: undefined,
  certFile: undefined,
  keyFile: undefined,
};

/** The settings of mutual TLS with a server's certificates. */
export function mutualTls({ certificates }: TestEtcd): EtcdAccess {
  if (certificates === undefined) throw new Error('Cannot use TLS: the server was started without');
  return { ...noAccess, caFile: certificates.caFile, ...certificates.client };
}

/** An etcd writer that the test's end closes. */
export function etcdWriter(
  servers: readonly string[],
  options: Partial<Omit<EtcdWriterOptions, 'servers'>> = {},
): EtcdWriter & AsyncDisposable {
  const writer = new EtcdWriter({ servers, ttlMs: 3_600_000, ...noAccess, ...options });
  return Object.assign(writer, { [Symbol.asyncDispose]: () => writer.close() });
}

/** So many different records of one trace, a nanosecond apart. */
export function records(
  count: number,
  known: Partial<LogRecord> & { readonly text?: string } = {},
): LogRecord[] {
  return Array.from({ length: count }, (_, n) => numberedRecord(n, known));
}

/** All that a server holds under `logs/`, by key, with its lease. */
export async function stored({ client }: TestEtcd): Promise<Map<string, { value: Buffer; lease: string }>> {
  const { kvs } = await client.getAll().prefix('logs/').exec();
  return new Map(kvs.map(({ key, value, lease }) => [key.toString(), { value, lease }]));
}
