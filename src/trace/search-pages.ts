import type { SearchAccess } from '../config/config.ts';
import type { SearchConnection } from '../writers/search-connection.ts';
import { recordOf } from '../writers/search-document.ts';
import { indicesOf } from '../writers/search-index.ts';
import { itemsAt, membersAt, type Place } from './raw-json.ts';
import type { StoredRecord } from './stored-record.ts';

const KEEP_ALIVE = '2m';

/** A record as it was found, and the values it is sorted by, as the server wrote them. */
export interface Hit extends StoredRecord {
  readonly sort: string;
  /** When it was stored, in milliseconds since 1970; 0 where it does not say. */
  readonly storedAt: number;
}

export interface HitsRequest {
  /** The query, as JSON. */
  readonly query: object;
  readonly size: number;
  readonly order?: 'asc' | 'desc';
  /** The `sort` of a hit. */
  readonly after?: string | undefined;
  /** One hit for each value of a field. */
  readonly collapse?: string;
}

/** Searches in the indices of a writer. */
export class SearchPages {
  readonly #connection: SearchConnection;
  readonly #path: string;

  constructor(connection: SearchConnection, { index }: Pick<SearchAccess, 'index'>) {
    this.#connection = connection;
    this.#path = `/${encodeURIComponent(indicesOf(index))}`;
  }

  /** What is stored can be found: without it, only after a second. @returns false where we may not ask for it. */
  async refresh(signal: AbortSignal): Promise<boolean> {
    const request = { method: 'POST', path: `${this.#path}/_refresh` } as const;
    return (await this.#connection.send(request, signal, [403, 404])).status !== 403;
  }

  /** One page, and how many hits there are in all. */
  async search(
    request: HitsRequest,
    signal: AbortSignal,
  ): Promise<{ hits: readonly Hit[]; total: number; sources: readonly Buffer[] }> {
    return await this.#search(`${this.#path}/_search`, request, undefined, signal);
  }

  /** All hits, page by page, of one moment. @param sizeOf the size of the next page, given the last. */
  async *all(
    request: HitsRequest,
    sizeOf: (hits: readonly Hit[], size: number) => number,
    signal: AbortSignal,
  ): AsyncGenerator<readonly Hit[], void> {
    const pit = await this.#openPit(signal);
    if (pit === undefined) return;
    try {
      let { size, after } = request;
      for (;;) {
        const { hits } = await this.#search('/_search', { ...request, size, after }, pit, signal);
        if (hits.length > 0) yield hits;
        if (hits.length < size) return;
        after = hits.at(-1)?.sort;
        size = sizeOf(hits, size);
      }
    } finally {
      await this.#closePit(pit);
    }
  }

  async #search(
    path: string,
    { query, size, order = 'asc', after, collapse }: HitsRequest,
    pit: string | undefined,
    signal: AbortSignal,
  ): Promise<{ hits: readonly Hit[]; total: number; sources: readonly Buffer[] }> {
    const body = {
      query,
      size,
      sort: [
        { 'frostbeat.unixNano': { order, unmapped_type: 'long' } },
        { 'frostbeat.id': { order, unmapped_type: 'keyword' } },
        { 'frostbeat.storedAt': { order, unmapped_type: 'date' } },
      ],
      track_total_hits: pit === undefined && collapse === undefined,
      ...(collapse !== undefined && { collapse: { field: collapse } }),
      ...(pit !== undefined && { pit: { id: pit, keep_alive: KEEP_ALIVE } }),
    };
    // Numbers of nineteen digits do not survive as numbers here.
    const text = JSON.stringify(body).slice(0, -1);
    const answer = await this.#connection.send(
      { method: 'POST', path, body: after === undefined ? `${text}}` : `${text},"search_after":${after}}` },
      signal,
      pit === undefined ? [404] : [],
    );
    if (answer.status === 404) return { hits: [], total: 0, sources: [] };
    return hitsOf(answer.body);
  }

  async #openPit(signal: AbortSignal): Promise<string | undefined> {
    const path =
      this.#connection.product === 'elasticsearch'
        ? `${this.#path}/_pit`
        : `${this.#path}/_search/point_in_time`;
    const answer = await this.#connection.send(
      { method: 'POST', path, query: { keep_alive: KEEP_ALIVE } },
      signal,
      [404],
    );
    if (answer.status === 404) return undefined;
    const { id, pit_id } = JSON.parse(answer.body.toString('utf8')) as { id?: string; pit_id?: string };
    return id ?? pit_id;
  }

  /** It ends by itself too. */
  async #closePit(pit: string): Promise<void> {
    const isElastic = this.#connection.product === 'elasticsearch';
    const path = isElastic ? '/_pit' : '/_search/point_in_time';
    const body = JSON.stringify(isElastic ? { id: pit } : { pit_id: [pit] });
    await this.#connection
      .send({ method: 'DELETE', path, body, timeoutMs: 2_000 }, AbortSignal.timeout(2_000))
      .catch(() => undefined);
  }
}

function hitsOf(json: Buffer): { hits: readonly Hit[]; total: number; sources: readonly Buffer[] } {
  const outer = membersAt(json, json.indexOf('{'));
  const all = membersAt(json, outer.get('hits')?.from ?? json.length);
  const list = itemsAt(json, all.get('hits')?.from ?? json.length);
  const total = /"value":(\d+)/.exec(textAt(json, all.get('total')))?.[1];
  const found = list.map(({ from }) => hitAt(json, from));
  return {
    hits: found.map(({ hit }) => hit),
    sources: found.map(({ source }) => source),
    total: Number(total ?? found.length),
  };
}

function hitAt(json: Buffer, from: number): { hit: Hit; source: Buffer } {
  const members = membersAt(json, from);
  const place = members.get('_source') ?? { from: json.length, to: json.length };
  const source = json.subarray(place.from, place.to);
  const sort = members.get('sort');
  const [unixNano, , storedAt] = sort === undefined ? [] : itemsAt(json, sort.from);
  const hit = {
    unixNano: textAt(json, unixNano),
    id: JSON.parse(textAt(json, members.get('_id')) || '""') as string,
    bytes: recordIn(source),
    sort: textAt(json, sort),
    storedAt: Number(textAt(json, storedAt)) || 0,
  };
  return { hit, source };
}

function recordIn(source: Buffer): Buffer {
  if (!source.includes('"record":')) return recordOf(source, undefined);
  const place = membersAt(source, 0).get('frostbeat');
  const record =
    place && source[place.from] === 0x7b ? membersAt(source, place.from).get('record') : undefined;
  return recordOf(source, record && source.subarray(record.from, record.to));
}

function textAt(json: Buffer, place: Place | undefined): string {
  return place === undefined ? '' : json.toString('utf8', place.from, place.to);
}
