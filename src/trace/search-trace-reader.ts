import type { SearchAccess } from '../config/config.ts';
import type { SearchProduct } from '../writers/search-client.ts';
import { SearchConnection } from '../writers/search-connection.ts';
import { canaryPrefix } from './canary-trace.ts';
import { nextLimit } from './etcd-pages.ts';
import { inParallel } from './in-parallel.ts';
import { followSearch, OVERLAP_MS } from './search-follower.ts';
import { type Hit, SearchPages } from './search-pages.ts';
import type { StoredRecord } from './stored-record.ts';
import type { Nodes } from './known-node.ts';
import type { NodesElsewhere } from './nodes-elsewhere.ts';
import type { Followed, ReadOptions, RecentTraces, TraceReader } from './trace-reader.ts';
import { Summary } from './summary.ts';
import type { Span } from './trace-state.ts';
import type { TraceSummary } from './trace-summary.ts';

const FIRST_PAGE = 64;
/** So many lines of each trace are looked at for a list of traces. */
const MOST_LINES = 200;
const AT_ONCE = 4;
/** So many readings and their records are remembered, for who follows on. */
const MOST_READINGS = 4;
const MOST_REMEMBERED = 100_000;

/**
 * Reads traces from Elasticsearch or OpenSearch, page by page, as they were at one moment, in memory that a page
 * takes. A record that two backing indices of a data stream hold is given once.
 */
export class SearchTraceReader implements TraceReader {
  readonly name: string;
  readonly #access: SearchAccess;
  readonly #connection: SearchConnection;
  readonly #pages: SearchPages;
  readonly #nodes: NodesElsewhere;
  /** By trace and mark, the records of a reading that were stored shortly before it. */
  readonly #readings = new Map<string, Map<string, number>>();

  constructor(product: SearchProduct, access: SearchAccess, nodes: NodesElsewhere) {
    this.#access = access;
    this.#nodes = nodes;
    this.#connection = new SearchConnection(product, access);
    this.#pages = new SearchPages(this.#connection, access);
    this.name = this.#connection.name;
  }

  /** When records are stored is told by the clocks of their nodes: the mark is a time. */
  async now(signal: AbortSignal): Promise<string> {
    await this.#connection.check(signal);
    return String(Date.now());
  }

  async *read(
    traceId: string,
    signal: AbortSignal,
    options: ReadOptions = {},
  ): AsyncGenerator<StoredRecord, void> {
    const { at, since, until, after } = options;
    const seen = at === undefined ? undefined : this.#remember(traceId, at);
    await this.#pages.refresh(signal);
    const query = queryOf(traceId, [
      ...(at === undefined ? [] : [storedUpTo(at)]),
      ...(since === undefined ? [] : [{ range: { 'frostbeat.unixNano': { gte: since } } }]),
      ...(until === undefined ? [] : [{ range: { 'frostbeat.unixNano': { lt: until } } }]),
    ]);
    const from = after && `[${after.unixNano},${JSON.stringify(after.id)},9223372036854775807]`;
    let last: Hit | undefined;
    for await (const hits of this.#pages.all({ query, size: FIRST_PAGE, after: from }, nextLimit, signal)) {
      for (const hit of hits) {
        if (hit.id === last?.id && hit.unixNano === last.unixNano) continue;
        last = hit;
        if (seen !== undefined && hit.storedAt > Number(at) - OVERLAP_MS && seen.size < MOST_REMEMBERED)
          seen.set(hit.id, hit.storedAt);
        yield { unixNano: hit.unixNano, id: hit.id, bytes: hit.bytes };
      }
    }
  }

  follow(traceId: string, mark: string, signal: AbortSignal): AsyncIterable<Followed> {
    const seen = this.#readings.get(readingOf(traceId, mark));
    return followSearch(this.#pages, { query: queryOf, traceId, mark: Number(mark), seen }, signal);
  }

  async recent(limit: number, signal: AbortSignal): Promise<RecentTraces> {
    await this.#pages.refresh(signal);
    const collapse = this.#access.fields === 'ecs' ? 'trace.id' : 'traceId';
    const canaries = [{ prefix: { [collapse]: canaryPrefix } }];
    const query = { bool: { filter: [{ exists: { field: collapse } }], must_not: canaries } };
    const { sources } = await this.#pages.search({ query, size: limit, order: 'desc', collapse }, signal);
    const traceIds = sources.map(traceIdOf).filter((traceId) => traceId !== undefined);
    const traces = await inParallel(traceIds, AT_ONCE, (traceId) => this.#summarize(traceId, signal));
    return { traces: traces.filter((one) => one !== undefined) };
  }

  /** What was stored before a watermark was told must be found: who may not ask for that knows nothing. */
  async nodes(signal: AbortSignal): Promise<Nodes> {
    const found = await this.#nodes.nodes(signal);
    if (found.nodes.length === 0 || (await this.#pages.refresh(signal))) return found;
    const trouble =
      'what is stored can be found a second later only: a reader needs the privilege «maintenance» to tell more';
    return { nodes: [], trouble };
  }

  async span(traceId: string, mark: string, signal: AbortSignal): Promise<Span | undefined> {
    const query = queryOf(traceId, [storedUpTo(mark)]);
    await this.#pages.refresh(signal);
    const [first, last] = await Promise.all([
      this.#pages.search({ query, size: 1 }, signal),
      this.#pages.search({ query, size: 1, order: 'desc' }, signal),
    ]);
    const [oldest] = first.hits;
    const [newest] = last.hits;
    return oldest && newest && { first: oldest.unixNano, last: newest.unixNano };
  }

  async *between(
    traceId: string,
    { after, upTo }: { readonly after: string; readonly upTo: string },
    signal: AbortSignal,
  ): AsyncGenerator<readonly StoredRecord[], void> {
    const seen = this.#readings.get(readingOf(traceId, after));
    // What was on its way at the first mark is there by now; what was read then is left out.
    const from = seen === undefined ? Number(after) : Number(after) - OVERLAP_MS;
    const query = queryOf(traceId, [{ range: { 'frostbeat.storedAt': { gt: from } } }, storedUpTo(upTo)]);
    // Who follows on from there is given none of these again.
    const given = this.#remember(traceId, upTo);
    for (const [id, storedAt] of seen ?? []) given.set(id, storedAt);
    await this.#pages.refresh(signal);
    for await (const hits of this.#pages.all({ query, size: FIRST_PAGE }, nextLimit, signal)) {
      const records = hits.filter(({ id }) => seen?.has(id) !== true);
      for (const { id, storedAt } of records) if (given.size < MOST_REMEMBERED) given.set(id, storedAt);
      if (records.length > 0) yield records;
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#connection.close(), this.#nodes.close()]);
  }

  async #summarize(traceId: string, signal: AbortSignal): Promise<TraceSummary | undefined> {
    const request = { query: queryOf(traceId, []), size: MOST_LINES };
    const { hits, total } = await this.#pages.search(request, signal);
    if (hits.length === 0) return undefined;
    const summary = new Summary(traceId);
    for (const hit of hits) summary.add(hit);
    if (total <= hits.length) return summary.result({ partial: false });
    const { hits: newest } = await this.#pages.search({ ...request, size: 1, order: 'desc' }, signal);
    const result = summary.result({ lines: total, partial: true });
    return { ...result, lastUnixNano: newest[0]?.unixNano ?? result.lastUnixNano };
  }

  #remember(traceId: string, at: string): Map<string, number> {
    const seen = new Map<string, number>();
    this.#readings.set(readingOf(traceId, at), seen);
    const [oldest] = this.#readings.keys();
    if (this.#readings.size > MOST_READINGS && oldest !== undefined) this.#readings.delete(oldest);
    return seen;
  }
}

/** Under either name: FIELDS may have been changed since. */
function queryOf(traceId: string, filters: readonly object[]): object {
  const names = [{ term: { traceId } }, { term: { 'trace.id': traceId } }];
  return { bool: { filter: [{ bool: { should: names } }, ...filters] } };
}

/**
 * The clock of a node may be ahead of ours: what it stored before the mark must be among it, since a trace may be said
 * to be complete by then.
 */
function storedUpTo(mark: string): object {
  return { range: { 'frostbeat.storedAt': { lte: Number(mark) + OVERLAP_MS } } };
}

function readingOf(traceId: string, mark: string): string {
  return `${mark} ${traceId}`;
}

function traceIdOf(source: Buffer): string | undefined {
  const { traceId, trace } = JSON.parse(source.toString('utf8')) as {
    traceId?: unknown;
    trace?: { id?: unknown };
  };
  const id = traceId ?? trace?.id;
  return typeof id === 'string' ? id : undefined;
}
