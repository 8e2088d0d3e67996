import type { EtcdAddress } from '../writers/etcd-client.ts';
import { EtcdConnection } from '../writers/etcd-connection.ts';
import { EtcdFailure } from '../writers/etcd-errors.ts';
import { etcdRange, tracePrefix } from '../writers/etcd-key.ts';
import { compareUnixNano, type StoredRecord, type TraceReader } from './trace-reader.ts';

/** What a page of values is to weigh, in bytes; the limit of a message received is 4 MiB. */
const PAGE_BYTES = 1_048_576;
const FIRST_PAGE = 64;
const MOST_A_PAGE = 1_000;
const KEYS_A_PAGE = 10_000;

interface Page {
  readonly records: readonly StoredRecord[];
  /** Where the next page begins; undefined behind the last one. */
  readonly next: Buffer | undefined;
}

/**
 * Reads traces from etcd, page by page.
 *
 * Keys sort as text, which is the order of time as long as the times have equally many digits: 19 from
 * 2001-09-09 to 2286-11-20. A trace that spans one of these days is read once for each number of digits.
 */
export class EtcdTraceReader implements TraceReader {
  readonly name: string;
  readonly #connection: EtcdConnection;
  readonly #endpoints: number;

  constructor(address: EtcdAddress) {
    this.#connection = new EtcdConnection(address);
    this.#endpoints = address.servers.length;
    this.name = `etcd (${this.#connection.name})`;
  }

  async *read(traceId: string, signal: AbortSignal): AsyncGenerator<StoredRecord, void> {
    const { key, range_end: end } = etcdRange(tracePrefix(traceId));
    const first = await this.#page(key, end, FIRST_PAGE, signal);
    if (first.next === undefined) {
      yield* first.records.toSorted(byTimeAndId);
      return;
    }
    for (const digits of await this.#digitCounts(key, end, signal)) {
      let page = first;
      for (;;) {
        for (const record of page.records) if (record.unixNano.length === digits) yield record;
        if (page.next === undefined) break;
        page = await this.#page(page.next, end, nextLimit(page), signal);
      }
    }
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  async #page(key: Buffer, end: Buffer, limit: number, signal: AbortSignal): Promise<Page> {
    for (let size = limit; ; size = Math.ceil(size / 4)) {
      try {
        const { kvs, more } = await this.#range({ key, range_end: end, limit: size }, signal);
        const last = kvs.at(-1);
        return {
          records: kvs.map(({ key: found, value }) => ({ ...timeAndId(found), bytes: value })),
          next: more && last !== undefined ? behind(last.key) : undefined,
        };
      } catch (error) {
        const smaller = error instanceof EtcdFailure && error.remedy === 'too-large' && size > 1;
        if (!smaller) throw error;
      }
    }
  }

  /** How many digits the times of a trace have, the fewest first. */
  async #digitCounts(key: Buffer, end: Buffer, signal: AbortSignal): Promise<number[]> {
    const counts = new Set<number>();
    for (let from: Buffer | undefined = key; from !== undefined;) {
      const request = { key: from, range_end: end, limit: KEYS_A_PAGE, keys_only: true };
      const { kvs, more } = await this.#range(request, signal);
      for (const { key: found } of kvs) counts.add(timeAndId(found).unixNano.length);
      const last = kvs.at(-1);
      from = more && last !== undefined ? behind(last.key) : undefined;
    }
    return [...counts].sort((a, b) => a - b);
  }

  /** Asks each endpoint once before it gives up. */
  async #range(
    request: { key: Buffer; range_end: Buffer; limit: number; keys_only?: boolean },
    signal: AbortSignal,
  ) {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#connection.call((client, options) => client.kv.range(request, options), signal);
      } catch (error) {
        if (error instanceof EtcdFailure && error.remedy === 'again' && attempt < this.#endpoints) continue;
        throw error;
      }
    }
  }
}

/** As many records as weigh what a page is to weigh, by what they weigh in this one. */
function nextLimit({ records }: Page): number {
  const bytes = records.reduce((sum, record) => sum + record.bytes.length, 0);
  return Math.max(1, Math.min(MOST_A_PAGE, Math.floor((PAGE_BYTES * records.length) / Math.max(1, bytes))));
}

/** The smallest key that is greater. */
function behind(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.alloc(1)]);
}

/** The third and the fourth segment: no segment holds a `/`. */
function timeAndId(key: Buffer): { unixNano: string; id: string } {
  const [, , unixNano = '', id = ''] = key.toString('utf8').split('/');
  return { unixNano, id };
}

function byTimeAndId(a: StoredRecord, b: StoredRecord): number {
  if (a.unixNano !== b.unixNano) return compareUnixNano(a.unixNano, b.unixNano);
  return a.id < b.id ? -1 : Number(a.id > b.id);
}
