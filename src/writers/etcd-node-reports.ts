import type { EtcdAddress } from './etcd-client.ts';
import { EtcdConnection } from './etcd-connection.ts';
import { EtcdFailure } from './etcd-errors.ts';
import { RenewedLease, TakenLease } from './node-report-leases.ts';
import { encodeNodeReport, knownNodeKey, nodeKey, type NodeReport, parseNodeReport } from './node-report.ts';
import { RetryAfterError } from './log-writer.ts';
import type { NodeReports } from './node-reports.ts';

export interface EtcdNodeReportsOptions extends EtcdAddress {
  /** The agent counts as silent after so long, in milliseconds. */
  readonly leaseMs: number;
  /** Life of the records' keys, in milliseconds; 0 keeps them. */
  readonly ttlMs: number;
}

/**
 * Puts reports into etcd, on a connection of their own: `frostbeat/nodes/<node>` under a lease that ends when the
 * agent falls silent, and in the same transaction `frostbeat/known-nodes/<node>`, which lives as long as the records:
 * a trace that was complete stays so when the agent is gone, and the next agent's watermark is no earlier.
 */
export class EtcdNodeReports implements NodeReports {
  readonly name = 'etcd';
  readonly #connection: EtcdConnection;
  readonly #live: RenewedLease;
  readonly #known: TakenLease | undefined;

  constructor(options: EtcdNodeReportsOptions) {
    const { leaseMs, ttlMs } = options;
    this.#connection = new EtcdConnection(options);
    this.#live = new RenewedLease(this.#connection, leaseMs);
    this.#known = ttlMs === 0 ? undefined : new TakenLease(this.#connection, ttlMs);
  }

  async last(node: string, signal: AbortSignal): Promise<NodeReport | undefined> {
    const request = { key: Buffer.from(knownNodeKey(node)) };
    try {
      const { kvs } = await this.#connection.call(({ kv }, options) => kv.range(request, options), signal);
      return kvs[0] === undefined ? undefined : parseNodeReport(kvs[0].value.toString('utf8'));
    } catch (error) {
      // Who may write but not read goes without.
      if (isRefusal(error)) return undefined;
      throw explained(error);
    }
  }

  async publish(report: NodeReport, signal: AbortSignal): Promise<void> {
    try {
      await this.#put(report, signal).catch(async (error: unknown) => {
        if (!(error instanceof EtcdFailure) || error.remedy !== 'lease-gone') throw error;
        this.#live.forget();
        this.#known?.forget();
        await this.#put(report, signal);
      });
    } catch (error) {
      throw explained(error);
    }
  }

  /** By puts that are never made: see `EtcdWriter`. */
  async check(node: string, signal: AbortSignal): Promise<undefined> {
    const failure = [nodeKey(node), knownNodeKey(node)].map((key) =>
      putUnder(undefined, Buffer.from(key), Buffer.alloc(0)),
    );
    try {
      await this.#connection.call(
        ({ kv }, options) => kv.txn({ compare: [], success: [], failure }, options),
        signal,
      );
    } catch (error) {
      throw explained(error);
    }
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  async #put(report: NodeReport, signal: AbortSignal): Promise<void> {
    const value = Buffer.from(encodeNodeReport(report));
    const key = Buffer.from(nodeKey(report.node));
    const known = putUnder(await this.#known?.take(signal), Buffer.from(knownNodeKey(report.node)), value);
    const live = report.stopped
      ? { request_delete_range: { key } }
      : putUnder(await this.#live.renewed(signal), key, value);
    await this.#connection.call(
      ({ kv }, options) => kv.txn({ compare: [], success: [live, known], failure: [] }, options),
      signal,
    );
  }
}

/** The rights on the records are others: the words of the failure are for those. */
const REFUSED =
  'the user lacks a permission: to tell how far the node is needs «readwrite» on the prefix frostbeat/ ' +
  '(etcdctl role grant-permission ROLE --prefix=true readwrite frostbeat/)';

function explained(error: unknown): unknown {
  if (!(error instanceof EtcdFailure) || error.delayMs === undefined) return error;
  const message = isRefusal(error) ? REFUSED : error.message;
  return new RetryAfterError(message, error.delayMs, { cause: error });
}

function isRefusal(error: unknown): boolean {
  return error instanceof EtcdFailure && /permission denied/.test(String(error.cause));
}

function putUnder(lease: string | undefined, key: Buffer, value: Buffer) {
  return { request_put: { key, value, ...(lease !== undefined && { lease }) } };
}
