import type { LogRecord } from '../record/log-record.ts';
import { CALL_MS, type EtcdAddress } from './etcd-client.ts';
import { EtcdConnection } from './etcd-connection.ts';
import { EtcdFailure } from './etcd-errors.ts';
import { etcdRange, keyPrefix } from './etcd-key.ts';
import { type Lease, LeasePool } from './etcd-leases.ts';
import { encodePuts, type Puts } from './etcd-put-request.ts';
import { toTransactions } from './etcd-transactions.ts';
import {
  type LogWriter,
  RejectedError,
  type Rejection,
  RetryAfterError,
  type WriterLogger,
} from './log-writer.ts';

export interface EtcdWriterOptions extends EtcdAddress {
  /** Least life of a key in milliseconds (`LeasePool` says the most); 0 keeps it for ever. */
  readonly ttlMs: number;
  readonly log?: Pick<WriterLogger, 'warn'>;
}

/** Where the API server of a Kubernetes cluster keeps everything (its `--etcd-prefix`). */
const CONTROL_PLANE_PREFIX = '/registry/';

/** No key of a record: those have more segments. Nothing is ever stored under it. */
const REHEARSAL_KEY = Buffer.from(`${keyPrefix}rehearsal`);

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
  readonly #log: EtcdWriterOptions['log'];
  #knowsWhoseItIs = false;
  #knowsItMayWrite = false;

  constructor(options: EtcdWriterOptions) {
    this.#connection = new EtcdConnection(options);
    this.#log = options.log;
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
      for (const puts of toTransactions(records)) await this.#write(puts, signal, rejections);
      this.#knowsItMayWrite = true;
    } catch (error) {
      throw this.#explained(error, signal);
    }
    if (rejections.length > 0) throw new RejectedError(rejections);
  }

  /**
   * Until it is known that records can be written: rehearses a write. After that: asks for one key, which takes a
   * quorum and no more; of a range etcd 3.4 would look at every key, whatever the limit (1.4 s for a million). A
   * user who may write but not read is no fault: the refusal comes from a server that is there and knows him.
   */
  async check(signal: AbortSignal): Promise<void> {
    try {
      if (this.#knowsItMayWrite) await this.#hasKeys({ key: REHEARSAL_KEY }, signal);
      else await this.#rehearse(signal);
      if (!this.#knowsWhoseItIs) await this.#warnOfControlPlane(signal);
    } catch (error) {
      throw this.#explained(error, signal);
    }
  }

  async close(): Promise<void> {
    this.#leases?.close();
    await this.#connection.close();
  }

  /**
   * A put that is never made, in the branch of a transaction without a condition that is not taken: etcd asks for
   * the same permission and the same space as for a real one (`checkTxnAuth`, `costTxn`), and changes nothing.
   */
  async #rehearse(signal: AbortSignal): Promise<void> {
    const request_put = { key: REHEARSAL_KEY, value: Buffer.alloc(0) };
    await this.#connection.call(
      (client, options) => client.kv.txn({ compare: [], success: [], failure: [{ request_put }] }, options),
      signal,
    );
    this.#knowsItMayWrite = true;
  }

  async #warnOfControlPlane(signal: AbortSignal): Promise<void> {
    const seems = await this.#hasKeys(etcdRange(CONTROL_PLANE_PREFIX), signal);
    // The checks after the first answer ask for this no more.
    this.#knowsWhoseItIs = true;
    if (!seems) return;
    this.#log?.warn(
      { servers: this.#connection.name },
      `This etcd seems to be the control plane of a Kubernetes cluster: it has keys under ${CONTROL_PLANE_PREFIX}. ` +
        'Logs that fill its database stop the whole cluster: give Frostbeat an etcd of its own (docs/etcd.md).',
    );
  }

  /** Whether there are keys in this range, or there is this key, as far as the user may know. */
  async #hasKeys(range: { key: Buffer; range_end?: Buffer }, signal: AbortSignal): Promise<boolean> {
    const request = { ...range, limit: 1, keys_only: true };
    try {
      const { kvs } = await this.#connection.call(
        (client, options) => client.kv.range(request, options),
        signal,
      );
      return kvs.length > 0;
    } catch (error) {
      if (error instanceof EtcdFailure && /permission denied/.test(String(error.cause))) return false;
      throw error;
    }
  }

  async #write(puts: Puts, signal: AbortSignal, rejections: Rejection[]): Promise<void> {
    for (let leases = 1; ; leases++) {
      const lease = await this.#leases?.take(puts.count, signal);
      try {
        await this.#put(puts, lease, signal);
        return;
      } catch (error) {
        if (!(error instanceof EtcdFailure)) throw error;
        if (error.remedy === 'lease-gone' && lease !== undefined && leases < MOST_LEASES_PER_WRITE) {
          this.#leases?.forget(lease);
        } else if (error.remedy === 'too-large') {
          await this.#writeSmaller(puts, error, signal, rejections);
          return;
        } else {
          throw error;
        }
      }
    }
  }

  async #put(puts: Puts, lease: Lease | undefined, signal: AbortSignal): Promise<void> {
    const request = encodePuts(puts, lease?.field);
    // A put that the server applied after this time would live shorter than TTL: it counts as not written.
    const timeoutMs =
      lease === undefined ? CALL_MS : Math.min(CALL_MS, lease.applyBefore - performance.now());
    await this.#connection.call(
      (client, options, begins) => client.transact(request, options, begins),
      signal,
      timeoutMs,
    );
  }

  /** By halves, until the one record is found that is too large by itself. */
  async #writeSmaller(
    puts: Puts,
    failure: EtcdFailure,
    signal: AbortSignal,
    rejections: Rejection[],
  ): Promise<void> {
    if (puts.count === 1) {
      const reason = `larger than etcd takes: ${failure.message} (--max-request-bytes)`;
      rejections.push({ record: puts.records[0]!, reason });
      return;
    }
    const half = puts.count >> 1;
    await this.#write(puts.slice(0, half), signal, rejections);
    await this.#write(puts.slice(half), signal, rejections);
  }

  async #grant(seconds: number, signal: AbortSignal): Promise<string> {
    const answer = await this.#connection.call(
      (client, options) => client.leaseClient.leaseGrant({ TTL: seconds }, options),
      signal,
    );
    return answer.ID;
  }

  /** In the same words for a write and for a check: an outage is one problem, and said once. */
  #explained(error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    const message = `Cannot write to etcd (${this.#connection.name}): ${(error as Error).message}`;
    return error instanceof EtcdFailure && error.delayMs !== undefined
      ? new RetryAfterError(message, error.delayMs, { cause: error })
      : new Error(message, { cause: error });
  }
}
