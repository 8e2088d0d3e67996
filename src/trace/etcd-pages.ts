import type { EtcdConnection } from '../writers/etcd-connection.ts';
import { EtcdFailure } from '../writers/etcd-errors.ts';
import { keyPrefix } from '../writers/etcd-key.ts';
import type { StoredRecord } from './stored-record.ts';

/** What a page of values is to weigh, in bytes; the limit of a message received is 4 MiB. */
const PAGE_BYTES = 1_048_576;
const MOST_A_PAGE = 1_000;
const KEYS_A_PAGE = 10_000;
/** Values that are small: what agents tell of their nodes. */
const ENTRIES_A_PAGE = 1_000;

export interface Bounds {
  readonly key: Buffer;
  readonly range_end: Buffer;
}

interface RangeRequest extends Bounds {
  readonly limit: number;
  /** Nothing that was stored after this revision. */
  readonly revision: string;
}

/** A key as the server gives it, and the revision at which it was first put. */
interface FoundKey {
  readonly key: Buffer;
  readonly create_revision: string;
}

/** Ranges of etcd, page by page, each endpoint asked once before it gives up. */
export class EtcdPages {
  readonly #connection: EtcdConnection;
  readonly #endpoints: number;

  constructor(connection: EtcdConnection, endpoints: number) {
    this.#connection = connection;
    this.#endpoints = endpoints;
  }

  /** The revision of now, at the price of a key that is not there. */
  async revision(signal: AbortSignal): Promise<string> {
    const { header } = await this.#range({ key: Buffer.from(keyPrefix), limit: 1, keys_only: true }, signal);
    return header.revision;
  }

  /**
   * The records of a range: fewer than asked for where they are large.
   *
   * `next` is where the next page begins, undefined behind the last one; `count` the keys of the whole range.
   */
  async values(request: RangeRequest, signal: AbortSignal) {
    const { kvs, more, count } = await this.#page(request, false, signal);
    const last = kvs.at(-1);
    return {
      records: kvs
        .filter(({ create_revision }) => isAtOrBefore(create_revision, request.revision))
        .map(({ key, value }): StoredRecord => {
          const { unixNano, id } = place(key);
          return { unixNano, id, bytes: value };
        }),
      next: more && last !== undefined ? behind(last.key) : undefined,
      count: Number(count),
    };
  }

  /** The keys of a range, as `values`, without their values. */
  async keys(
    { limit = KEYS_A_PAGE, ...request }: Omit<RangeRequest, 'limit'> & { limit?: number },
    signal: AbortSignal,
  ) {
    const { kvs, more } = await this.#page({ ...request, limit }, true, signal);
    const last = kvs.at(-1);
    const found: readonly FoundKey[] = kvs.filter(({ create_revision }) =>
      isAtOrBefore(create_revision, request.revision),
    );
    return { kvs: found, next: more && last !== undefined ? behind(last.key) : undefined };
  }

  /** Keys of another kind with their values, as `values`. */
  async entries(request: Omit<RangeRequest, 'limit'>, signal: AbortSignal) {
    const { kvs, more } = await this.#page({ ...request, limit: ENTRIES_A_PAGE }, false, signal);
    const last = kvs.at(-1);
    return { entries: kvs, next: more && last !== undefined ? behind(last.key) : undefined };
  }

  /** How many keys a range has now; that costs the server a walk through its index, and no look at the values. */
  async count(range: Bounds, signal: AbortSignal): Promise<number> {
    const { count } = await this.#range({ ...range, limit: 0, keys_only: true, count_only: true }, signal);
    return Number(count);
  }

  async #page(request: RangeRequest, keysOnly: boolean, signal: AbortSignal) {
    let { limit } = request;
    // Undefined once that revision is compacted away: then the newest is asked for, and what came later left out.
    let revision: string | undefined = request.revision;
    for (;;) {
      try {
        return await this.#range(
          {
            key: request.key,
            range_end: request.range_end,
            limit,
            keys_only: keysOnly,
            ...(revision && { revision }),
          },
          signal,
        );
      } catch (error) {
        if (!(error instanceof EtcdFailure)) throw error;
        if (revision !== undefined && isCompacted(error)) revision = undefined;
        else if (error.remedy === 'too-large' && limit > 1) limit = Math.ceil(limit / 4);
        else throw error;
      }
    }
  }

  async #range(
    request: Partial<Bounds> & { limit: number; keys_only: boolean; count_only?: boolean; revision?: string },
    signal: AbortSignal,
  ) {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#connection.call((client, options) => client.kv.range(request, options), signal);
      } catch (error) {
        if (error instanceof EtcdFailure && error.remedy === 'again' && attempt < this.#endpoints) {
          if (!isCompacted(error)) continue;
        }
        throw error;
      }
    }
  }
}

/** As many records as weigh what a page is to weigh, by what they weigh in this one. */
export function nextLimit(records: readonly StoredRecord[], limit: number): number {
  if (records.length === 0) return limit;
  const bytes = records.reduce((sum, record) => sum + record.bytes.length, 0);
  return Math.max(1, Math.min(MOST_A_PAGE, Math.floor((PAGE_BYTES * records.length) / Math.max(1, bytes))));
}

/** The smallest key that is greater. */
export function behind(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.alloc(1)]);
}

/** What a key says: no segment holds a `/`. `prefix` is that of its trace. */
export function place(key: Buffer): { prefix: string; unixNano: string; id: string } {
  // A key that begins a page may end in a zero byte.
  const [logs = '', trace = '', unixNano = '', id = ''] = key.toString('utf8').replace(/\0$/, '').split('/');
  return { prefix: `${logs}/${trace}/`, unixNano, id };
}

function isAtOrBefore(revision: string, than: string): boolean {
  return BigInt(revision) <= BigInt(than);
}

function isCompacted(error: EtcdFailure): boolean {
  return /has been compacted/.test(String(error.cause));
}
