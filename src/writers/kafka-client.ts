import { readFile } from 'node:fs/promises';
import type { BaseOptions } from '@platformatic/kafka';
import type { KafkaAccess } from '../config/config.ts';
import { tokenLogin } from './kafka-token.ts';

/** Longest that one request may take, and a connection, in milliseconds. */
const REQUEST_MS = 10_000;
const CONNECT_MS = 5_000;

/** What every client of Kafka here is made with. Secrets and certificates are read now, a token for each connection. */
export async function kafkaOptions(access: KafkaAccess): Promise<BaseOptions> {
  const [password, ca, cert, key] = await Promise.all([
    access.passwordFile === undefined ? undefined : readFile(access.passwordFile, 'utf8'),
    bytes(access.caFile),
    bytes(access.certFile),
    bytes(access.keyFile),
  ]);
  const { saslMechanism: mechanism, username = '' } = access;
  return {
    clientId: 'frostbeat',
    bootstrapBrokers: [...access.brokers],
    connectTimeout: CONNECT_MS,
    requestTimeout: REQUEST_MS,
    timeout: REQUEST_MS,
    ...(access.tls && {
      tls: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) },
      tlsServerName: true,
    }),
    ...(mechanism && {
      sasl:
        mechanism === 'OAUTHBEARER'
          ? tokenLogin({ file: access.tokenFile ?? '' })
          : { mechanism, username, password: password?.replace(/\r?\n$/, '') ?? access.password ?? '' },
    }),
  };
}

async function bytes(path: string | undefined): Promise<Buffer | undefined> {
  return path === undefined ? undefined : await readFile(path);
}
