import { readFile } from 'node:fs/promises';
import { getCACertificates } from 'node:tls';
import { castGrpcError, ClientClosedError, Etcd3, type IOptions } from 'etcd3';
import type { EtcdAccess } from '../config/config.ts';
import { GrpcChannel } from './grpc-channel.ts';

/** How to reach etcd. */
export interface EtcdAddress extends EtcdAccess {
  /** Endpoints as URLs: all `http:` or all `https:`, at least one. */
  readonly servers: readonly string[];
}

/** The options that each raw call of etcd3 takes last. */
export type CallOptions = NonNullable<Parameters<Etcd3['kv']['txn']>[1]>;

/** The same, with the deadline that each call has, in milliseconds since 1970. */
export type TimedOptions = CallOptions & { readonly deadline: number };

/** Is told, when a call has begun, how to end it. */
export type Begins = (cancel: () => void) => void;

/** What a client is made from that may change while the agent runs: the contents of files. Secret. */
export interface Secrets {
  readonly password: string | undefined;
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
}

/** Longest time that a call may take, in milliseconds: a frozen server answers never. */
export const CALL_MS = 5_000;

// etcd3's own retries would try at once, without a pause, and its circuit breaker fails good calls for a bad one.
const direct = { execute: <T>(call: () => T): T => call() } as unknown as NonNullable<
  NonNullable<IOptions['faultHandling']>['global']
>;

/** etcd3's client, and a transaction whose request is encoded already, on a connection of its own. */
export class EtcdClient extends Etcd3 {
  readonly #channel: GrpcChannel;
  #closed = false;
  #headers: Readonly<Record<string, string>> | undefined;

  constructor(options: IOptions, channel: GrpcChannel) {
    super(options);
    this.#channel = channel;
  }

  /**
   * @param request an encoded `etcdserverpb.TxnRequest` behind `MESSAGE_HEAD` bytes. The answer is not looked at:
   *   without a comparison, a transaction that does not fail is done.
   * @param begins told how to end the call.
   */
  async transact(request: Buffer, { deadline }: TimedOptions, begins: Begins): Promise<void> {
    try {
      this.#headers ??= await this.#authenticate();
      const headers = this.#headers;
      // The channel would connect anew.
      if (this.#closed) throw new ClientClosedError('KV');
      // The clock may have been set back since the deadline was made.
      const timeoutMs = Math.min(deadline - Date.now(), CALL_MS);
      await this.#channel.call('/etcdserverpb.KV/Txn', request, { timeoutMs, headers, begins });
    } catch (error) {
      throw castGrpcError(error as Error);
    }
  }

  /** etcd3 exchanges the password for a token, once. A client whose token has become void is replaced. */
  async #authenticate(): Promise<Readonly<Record<string, string>>> {
    const token = await this.pool.withConnection('KV', ({ metadata }) => metadata.get('token')[0]);
    return token === undefined ? {} : { token: String(token) };
  }

  override close(): void {
    this.#closed = true;
    super.close();
    this.#channel.close();
  }
}

/** @throws Error that names the setting whose file cannot be read. */
export async function readSecrets(address: EtcdAddress): Promise<Secrets> {
  const [passwordFile, ca, cert, key] = await Promise.all([
    read('ETCD_PASSWORD_FILE', address.passwordFile),
    read('ETCD_CA_FILE', address.caFile),
    read('ETCD_CERT_FILE', address.certFile),
    read('ETCD_KEY_FILE', address.keyFile),
  ]);
  return {
    password: address.password ?? passwordFile?.toString('utf8').replace(/\r?\n$/, ''),
    ca,
    cert,
    key,
  };
}

export function sameSecrets(a: Secrets, b: Secrets): boolean {
  return a.password === b.password && same(a.ca, b.ca) && same(a.cert, b.cert) && same(a.key, b.key);
}

function same(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.equals(b);
}

/**
 * A client for one endpoint, which connects at its first call. Each call must have a deadline.
 *
 * @throws Error where the certificate and the key do not fit each other, or are none.
 */
export function makeEtcdClient(server: string, username: string | undefined, secrets: Secrets): EtcdClient {
  const { password, ca, cert, key } = secrets;
  const url = server.replace(/\/+$/, '');
  const options: IOptions = {
    hosts: url,
    faultHandling: { host: () => direct, global: direct },
    // For the exchange of the password for a token, which etcd3 does by itself.
    defaultCallOptions: ({ isStream }) => (isStream ? {} : { deadline: Date.now() + CALL_MS }),
    grpcOptions: {
      // A new client must make a new connection, and not inherit the back-off of an old one.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.initial_reconnect_backoff_ms': 200,
      // Records go to the server directly (`GrpcChannel`); what is asked goes the same way.
      'grpc.enable_http_proxy': 0,
    },
    ...(server.startsWith('https:') &&
      (ca !== undefined || cert !== undefined) && {
        credentials: {
          rootCertificate: ca ?? Buffer.from(getCACertificates('default').join('\n')),
          ...(key !== undefined && { privateKey: key }),
          ...(cert !== undefined && { certChain: cert }),
        },
      }),
    ...(username !== undefined && { auth: { username, password: password ?? '' } }),
  };
  return new EtcdClient(options, new GrpcChannel(url, { ca, cert, key }));
}

async function read(setting: string, path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path);
  } catch (cause) {
    throw new Error(`Cannot read ${path} (${setting}): ${(cause as Error).message}`, { cause });
  }
}
