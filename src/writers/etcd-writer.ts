import type { LogRecord } from '../record/log-record.ts';
import { CALL_MS, type EtcdAddress } from './etcd-client.ts';
import { EtcdConnection } from './etcd-connection.ts';
import { EtcdFailure } from './etcd-errors.ts';
import { etcdRange, keyPrefix } from './etcd-key.ts';
import { type Lease, LeasePool } from './etcd-leases.ts';
import { toTransactions, type Transaction } from './etcd-transactions.ts';
import { type LogWriter, RejectedError, type Rejection, RetryAfterError } from './log-writer.ts';

export interface EtcdWriterOptions extends EtcdAddress {
  /** Least life of a key in milliseconds (`LeasePool` says the most); 0 keeps it for ever. */
  readonly ttlMs: number;
}

/** A lease may vanish under a write (revoked, or expired while we slept); again and again, something is wrong. */
const MOST_LEASES_PER_WRITE = 3;

/**
 * Writes each record under `logs/<traceId>/<unixNano>/<recordId>`, in transactions, under shared leases. Writing a
 * record again writes the same key. It never gives up by itself and never waits: pauses are the caller's.
 */
export class EtcdWriter implements LogWriter {
  readonly name = 'etcd';
  readonly #connection: EtcdConnection;
  readonly #leases: LeasePool | undefined;

  constructor(options: EtcdWriterOptions) {
    this.#connection = new EtcdConnection(options);
    this.#leases =
      options.ttlMs === 0
        ? undefined
        : new LeasePool({ ttlMs: options.ttlMs, grant: (seconds, signal) => this.#grant(seconds, signal) });
  }

  /**
   * @throws RejectedError for single records that are larger than the server takes.
   * @throws RetryAfterError where an operator has to do something first; the message says what.
   */
  async writeBatch(records: readonly LogRecord[], signal: AbortSignal): Promise<void> {
    const rejections: Rejection[] = [];
    try {
      for (const transaction of toTransactions(records)) await this.#write(transaction, signal, rejections);
    } catch (error) {
      throw this.#explained('write to', error, signal);
    }
    if (rejections.length > 0) throw new RejectedError(rejections);
  }

  /**
   * Asks for the first key, which takes a quorum. A user who may write but not read is no fault: the refusal
   * comes from a server that is there and knows him.
   */
  async check(signal: AbortSignal): Promise<void> {
    const request = { ...etcdRange(keyPrefix), limit: 1, keys_only: true };
    try {
      await this.#connection.call((client, options) => client.kv.range(request, options), signal);
    } catch (error) {
      if (error instanceof EtcdFailure && /permission denied/.test(String(error.cause))) return;
      throw this.#explained('reach', error, signal);
    }
  }

  async close(): Promise<void> {
    this.#leases?.close();
    await this.#connection.close();
  }

  async #write(transaction: Transaction, signal: AbortSignal, rejections: Rejection[]): Promise<void> {
    for (let leases = 1; ; leases++) {
      const lease = await this.#leases?.take(transaction.puts.length, signal);
      try {
        await this.#put(transaction, lease, signal);
        return;
      } catch (error) {
        if (!(error instanceof EtcdFailure)) throw error;
        if (error.remedy === 'lease-gone' && lease !== undefined && leases < MOST_LEASES_PER_WRITE) {
          this.#leases?.forget(lease);
        } else if (error.remedy === 'too-large') {
          await this.#writeSmaller(transaction, error, signal, rejections);
          return;
        } else {
          throw error;
        }
      }
    }
  }

  async #put({ puts }: Transaction, lease: Lease | undefined, signal: AbortSignal): Promise<void> {
    if (lease !== undefined) for (const { request_put: put } of puts) put.lease = lease.id;
    const success = [...puts];
    // A put that the server applied after this time would live shorter than TTL: it counts as not written.
    const timeoutMs =
      lease === undefined ? CALL_MS : Math.min(CALL_MS, lease.applyBefore - performance.now());
    await this.#connection.call(
      (client, options) => client.kv.txn({ compare: [], success, failure: [] }, options),
      signal,
      timeoutMs,
    );
  }

  /** By halves, until the one record is found that is too large by itself. */
  async #writeSmaller(
    { records, puts }: Transaction,
    failure: EtcdFailure,
    signal: AbortSignal,
    rejections: Rejection[],
  ): Promise<void> {
    if (puts.length === 1) {
      const reason = `larger than etcd takes: ${failure.message} (--max-request-bytes)`;
      rejections.push({ record: records[0]!, reason });
      return;
    }
    const half = puts.length >> 1;
    const first = { records: records.slice(0, half), puts: puts.slice(0, half) };
    const second = { records: records.slice(half), puts: puts.slice(half) };
    await this.#write(first, signal, rejections);
    await this.#write(second, signal, rejections);
  }

  async #grant(seconds: number, signal: AbortSignal): Promise<string> {
    const answer = await this.#connection.call(
      (client, options) => client.leaseClient.leaseGrant({ TTL: seconds }, options),
      signal,
    );
    return answer.ID;
  }

  #explained(what: string, error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    const message = `Cannot ${what} etcd (${this.#connection.name}): ${(error as Error).message}`;
    return error instanceof EtcdFailure && error.delayMs !== undefined
      ? new RetryAfterError(message, error.delayMs, { cause: error })
      : new Error(message, { cause: error });
  }
}
