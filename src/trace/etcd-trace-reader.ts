import type { EtcdAddress } from '../writers/etcd-client.ts';
import { EtcdConnection } from '../writers/etcd-connection.ts';
import { etcdRange, tracePrefix } from '../writers/etcd-key.ts';
import { recordsBetween } from './etcd-between.ts';
import { etcdNodes } from './etcd-nodes.ts';
import { behind, type Bounds, EtcdPages, nextLimit, place } from './etcd-pages.ts';
import { EtcdFollower } from './etcd-follower.ts';
import { type LongTrace, recentTraces } from './etcd-recent.ts';
import { EtcdSpans } from './etcd-span.ts';
import { Latest } from './latest.ts';
import type { Nodes } from './known-node.ts';
import type { Span } from './trace-state.ts';
import { comparePositions, compareUnixNano, type StoredRecord } from './stored-record.ts';
import {
  type Followed,
  isWithin,
  type ReadOptions,
  type RecentTraces,
  type TraceReader,
} from './trace-reader.ts';

const FIRST_PAGE = 64;
const MOST_LONG = 1_000;
/** Up to so many keys of a trace are looked through for times of another number of digits before it is read. */
const MOST_SORTED = 20_000;

/**
 * Reads traces from etcd, page by page, as they were at one revision: in memory that a page takes.
 *
 * Keys sort as text, which is the order of time as long as the times have equally many digits: 19 from
 * 2001-09-09 to 2286-11-20. A trace that spans one of these days is read once for each number of digits, or,
 * with more than 20,000 records, given in the order of the keys.
 */
export class EtcdTraceReader implements TraceReader {
  readonly name: string;
  readonly #connection: EtcdConnection;
  readonly #pages: EtcdPages;
  readonly #spans: EtcdSpans;
  /** What was seen of long traces for the list. */
  readonly #long = new Latest<string, LongTrace>(MOST_LONG);

  constructor(address: EtcdAddress) {
    this.#connection = new EtcdConnection(address);
    this.#pages = new EtcdPages(this.#connection, address.servers.length);
    this.#spans = new EtcdSpans(this.#pages);
    this.name = `etcd (${this.#connection.name})`;
  }

  now(signal: AbortSignal): Promise<string> {
    return this.#pages.revision(signal);
  }

  async *read(
    traceId: string,
    signal: AbortSignal,
    options: ReadOptions = {},
  ): AsyncGenerator<StoredRecord, void> {
    const { after } = options;
    const prefix = tracePrefix(traceId);
    const revision = options.at ?? (await this.#pages.revision(signal));
    const wanted = (one: StoredRecord): boolean =>
      isWithin(one.unixNano, options) && (after === undefined || comparePositions(one, after) > 0);

    const whole = etcdRange(prefix);
    const first = await this.#pages.values({ ...whole, revision, limit: FIRST_PAGE }, signal);
    if (first.next === undefined) {
      yield* first.records.toSorted(comparePositions).filter(wanted);
      return;
    }
    if (first.count > MOST_SORTED) {
      const [begin] = first.records;
      if (begin !== undefined)
        this.#spans.begins(prefix, { revision, first: begin.unixNano, count: first.count });
      const bounds = narrowed(prefix, 19, options);
      for await (const page of this.#from({ ...bounds, revision, windows: true }, signal)) {
        // Behind `after` in the order of the keys, which `bounds` has seen to.
        for (const record of page) if (isWithin(record.unixNano, options)) yield record;
      }
      return;
    }
    for (const digits of await this.#digitCounts({ ...whole, revision }, signal)) {
      if (after !== undefined && digits < after.unixNano.length) continue;
      const bounds = narrowed(prefix, digits, options);
      for await (const page of this.#from({ ...bounds, revision, windows: false }, signal)) {
        for (const record of page) if (record.unixNano.length === digits && wanted(record)) yield record;
      }
    }
  }

  follow(traceId: string, mark: string, signal: AbortSignal): AsyncIterable<Followed> {
    return new EtcdFollower(this.#connection, this.#pages).follow(traceId, mark, signal);
  }

  recent(limit: number, signal: AbortSignal): Promise<RecentTraces> {
    return recentTraces(
      { connection: this.#connection, pages: this.#pages, long: this.#long, limit },
      signal,
    );
  }

  nodes(signal: AbortSignal): Promise<Nodes> {
    return etcdNodes(this.#pages, signal);
  }

  span(traceId: string, mark: string, signal: AbortSignal): Promise<Span | undefined> {
    return this.#spans.of({ prefix: tracePrefix(traceId), revision: mark }, signal);
  }

  between(
    traceId: string,
    marks: { readonly after: string; readonly upTo: string },
    signal: AbortSignal,
  ): AsyncIterable<readonly StoredRecord[]> {
    return recordsBetween(this.#pages, etcdRange(tracePrefix(traceId)), marks, signal);
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  async *#from(
    range: Bounds & { revision: string; windows: boolean },
    signal: AbortSignal,
  ): AsyncGenerator<readonly StoredRecord[], void> {
    let { key } = range;
    let limit = FIRST_PAGE;
    // Of a long trace a window of time is asked for: older servers look at every key of the range that they are
    // asked for, whatever the limit.
    let windowNs = range.windows ? 1_000_000n : undefined;
    while (key.compare(range.range_end) < 0) {
      const end = windowNs === undefined ? range.range_end : windowEnd(key, windowNs, range.range_end);
      const page = await this.#pages.values({ key, range_end: end, revision: range.revision, limit }, signal);
      yield page.records;
      limit = nextLimit(page.records, limit);
      if (windowNs !== undefined) windowNs = page.next === undefined ? windowNs * 4n : spanOf(page.records);
      key = page.next ?? end;
    }
  }

  /** How many digits the times of a trace have, the fewest first. */
  async #digitCounts(range: Bounds & { revision: string }, signal: AbortSignal): Promise<number[]> {
    const counts = new Set<number>();
    for (let key: Buffer | undefined = range.key; key !== undefined;) {
      const page = await this.#pages.keys({ ...range, key }, signal);
      for (const { key: found } of page.kvs) counts.add(place(found).unixNano.length);
      key = page.next;
    }
    return [...counts].sort((a, b) => a - b);
  }
}

/** The keys of a trace that can hold what is wanted, among those whose times have so many digits. */
function narrowed(prefix: string, digits: number, { after, since, until }: ReadOptions): Bounds {
  const { key, range_end } = etcdRange(prefix);
  const starts = [key];
  if (since?.length === digits) starts.push(Buffer.from(prefix + since));
  if (after !== undefined && after.unixNano.length === digits) {
    starts.push(behind(Buffer.from(`${prefix}${after.unixNano}/${after.id}`)));
  }
  const end = until?.length === digits ? Buffer.from(prefix + until) : range_end;
  return { key: starts.sort((a, b) => a.compare(b)).at(-1)!, range_end: end };
}

/** The key of a time that is so much later; the end of the range where it is further or cannot be told. */
function windowEnd(from: Buffer, windowNs: bigint, end: Buffer): Buffer {
  const { prefix, unixNano } = place(from);
  if (!/^\d+$/.test(unixNano)) return end;
  const later = String(BigInt(unixNano) + windowNs);
  if (later.length !== unixNano.length) return end;
  const key = Buffer.from(prefix + later);
  return key.compare(from) > 0 && key.compare(end) < 0 ? key : end;
}

/** The time that a page spans, twice: what the next is likely to fill; at least a microsecond. */
function spanOf(records: readonly StoredRecord[]): bigint {
  const [first, last] = [records[0]?.unixNano ?? '0', records.at(-1)?.unixNano ?? '0'];
  const span = compareUnixNano(first, last) < 0 ? (BigInt(last) - BigInt(first)) * 2n : 0n;
  return span > 1_000n ? span : 1_000n;
}
