import { randomBytes } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { EtcdClient } from './etcd-client.ts';
import type { EtcdConnection } from './etcd-connection.ts';

/** What the IDs of these leases begin with; a server makes those of others from its member's number. */
const ID_PREFIX = 0x7fb7n;

/** Whether a lease is of a report: who looks for records by their leases need not ask for it. */
export function isReportLease(id: bigint): boolean {
  return id >> 48n === ID_PREFIX;
}

type Stream = Awaited<ReturnType<EtcdClient['leaseClient']['leaseKeepAlive']>> & EventEmitter;

/** A lease that lives as long as it is asked for, and a while longer. */
export class RenewedLease {
  readonly #connection: EtcdConnection;
  readonly #lifeMs: number;
  #id: string | undefined;
  #renewedAt = 0;

  /** @param lifeMs without being renewed; at least 2,000. */
  constructor(connection: EtcdConnection, lifeMs: number) {
    this.#connection = connection;
    this.#lifeMs = lifeMs;
  }

  /** Its ID; granted or renewed where that is due. @throws where the server does not answer. */
  async renewed(signal: AbortSignal): Promise<string> {
    const now = performance.now();
    const age = now - this.#renewedAt;
    if (this.#id !== undefined && age > this.#lifeMs / 3 && !(await this.#keepAlive(this.#id, signal))) {
      this.#id = undefined;
    } else if (this.#id !== undefined && age <= this.#lifeMs / 3) {
      return this.#id;
    }
    this.#id ??= await grant(this.#connection, this.#lifeMs, signal);
    this.#renewedAt = now;
    return this.#id;
  }

  forget(): void {
    this.#id = undefined;
  }

  /** Whether it was still there. */
  async #keepAlive(id: string, signal: AbortSignal): Promise<boolean> {
    return await this.#connection.call(async ({ leaseClient }, options) => {
      const stream = (await leaseClient.leaseKeepAlive(options)) as Stream;
      // The library's listener would throw the error where nobody can catch it.
      stream.removeAllListeners('error').on('error', () => undefined);
      const { promise, resolve, reject } = Promise.withResolvers<boolean>();
      stream.on('data', ({ TTL }) => resolve(Number(TTL) > 0));
      stream.on('error', reject);
      stream.on('end', () => reject(new Error('etcd ended the stream that keeps a lease alive')));
      stream.write({ ID: id });
      try {
        return await promise;
      } finally {
        stream.cancel();
      }
    }, signal);
  }
}

/** Leases for a key that is put again and again and is to outlive the records that are written meanwhile. */
export class TakenLease {
  readonly #connection: EtcdConnection;
  readonly #lifeMs: number;
  readonly #useMs: number;
  #id: string | undefined;
  #grantedAt = 0;

  /** @param ttlMs least life of a record; above 0. */
  constructor(connection: EtcdConnection, ttlMs: number) {
    this.#connection = connection;
    // A record may live for 2 % and some seconds longer than TTL: see `LeasePool`.
    this.#useMs = ttlMs / 4;
    this.#lifeMs = ttlMs * 1.3 + 10_000;
  }

  async take(signal: AbortSignal): Promise<string> {
    const now = performance.now();
    if (this.#id !== undefined && now - this.#grantedAt < this.#useMs) return this.#id;
    this.#id = await grant(this.#connection, this.#lifeMs, signal);
    this.#grantedAt = now;
    return this.#id;
  }

  forget(): void {
    this.#id = undefined;
  }
}

async function grant(connection: EtcdConnection, lifeMs: number, signal: AbortSignal): Promise<string> {
  const TTL = Math.ceil(lifeMs / 1_000);
  const { ID } = await connection.call(
    ({ leaseClient }, options) => leaseClient.leaseGrant({ TTL, ID: newId() }, options),
    signal,
  );
  return ID;
}

/** 48 random bits: two that are the same at one time are not to be expected, and would be an error that passes. */
function newId(): string {
  return String((ID_PREFIX << 48n) | BigInt(`0x${randomBytes(6).toString('hex')}`));
}
