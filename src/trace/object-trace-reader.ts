import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { ObjectNames } from '../writers/object-names.ts';
import type { ObjectStore } from '../writers/object-store.ts';
import { ndjsonTrace } from '../writers/ndjson.ts';
import { finderOf, placeId } from './file-lines.ts';
import type { Nodes } from './known-node.ts';
import { Smallest } from './smallest.ts';
import { comparePositions, type Position, type StoredRecord } from './stored-record.ts';
import {
  type Followed,
  isWithin,
  type ReadOptions,
  type RecentTraces,
  type TraceReader,
} from './trace-reader.ts';
import type { Span } from './trace-state.ts';

/** So many records are kept at once; an hour's objects are gone through once for each so many. */
const MOST_RECORDS = 10_000;
const LINE_FEED = 0x0a;

/**
 * Reads traces from the objects of s3 and gcs, by going through those of the hours that are asked for. What tells of
 * the whole store (the newest traces, a state, what comes next) cannot be had from it.
 */
export class ObjectTraceReader implements TraceReader {
  readonly name: string;
  readonly #store: ObjectStore;
  readonly #names: ObjectNames;
  readonly #mostRecords: number;

  /** @param mostRecords kept at once; only tests give it. */
  constructor(store: ObjectStore, names: ObjectNames, mostRecords = MOST_RECORDS) {
    this.name = store.name;
    this.#store = store;
    this.#names = names;
    this.#mostRecords = mostRecords;
  }

  /** Objects have no order in time: a mark says nothing. */
  async now(signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    return '';
  }

  /** @throws Error where `since` is not told: all that was ever written would have to be read. */
  async *read(
    traceId: string,
    signal: AbortSignal,
    { since, until, after }: ReadOptions = {},
  ): AsyncGenerator<StoredRecord, void> {
    if (since === undefined) throw new Error('say with --since (and --until) which hours to look through');
    const last = until === undefined ? BigInt(Date.now()) * 1_000_000n : BigInt(until);
    // An hour's objects hold that hour's records and no others, so one hour after the other is in order.
    for (const hour of this.#names.hours({ first: BigInt(since), last })) {
      for (let begin: Position | undefined = after; ;) {
        const options = { since, until, after: begin };
        const records = await this.#recordsOf(hour, { traceId, options }, signal);
        let before: Position | undefined;
        for (const record of records) {
          // After a crash a record may be in two objects.
          if (before === undefined || comparePositions(record, before) !== 0) yield record;
          before = record;
        }
        if (records.length < this.#mostRecords) break;
        begin = before;
      }
    }
  }

  follow(_traceId: string, _mark: string, signal: AbortSignal): AsyncIterable<Followed> {
    signal.throwIfAborted();
    throw new Error('objects cannot be followed; ask again with --since');
  }

  async recent(_limit: number, signal: AbortSignal): Promise<RecentTraces> {
    signal.throwIfAborted();
    throw new Error('objects have no list of traces; ask for one by its ID, with --since');
  }

  async nodes(signal: AbortSignal): Promise<Nodes> {
    signal.throwIfAborted();
    return { nodes: [], trouble: 'agents tell nothing of their nodes in a bucket' };
  }

  /** Not known without a look at everything. */
  async span(_traceId: string, _mark: string, signal: AbortSignal): Promise<Span | undefined> {
    signal.throwIfAborted();
    return undefined;
  }

  between(_traceId: string, _marks: unknown, signal: AbortSignal): AsyncIterable<readonly StoredRecord[]> {
    signal.throwIfAborted();
    throw new Error('objects do not tell what came since; ask again with --since');
  }

  async close(): Promise<void> {
    this.#store.close();
  }

  /** The first records of an hour that are wanted, in order. */
  async #recordsOf(
    hour: string,
    { traceId, options }: { traceId: string; options: ReadOptions },
    signal: AbortSignal,
  ): Promise<readonly StoredRecord[]> {
    const { since = '0', until, after } = options;
    const records = new Smallest<StoredRecord>(this.#mostRecords, comparePositions);
    for await (const name of this.#store.list(hour, signal)) {
      const span = this.#names.spanOf(name);
      if (span === undefined || span.last < BigInt(since)) continue;
      if (until !== undefined && span.first >= BigInt(until)) continue;
      for await (const record of recordsIn(await this.#store.read(name, signal), traceId, signal)) {
        if (!isWithin(record.unixNano, options)) continue;
        if (after === undefined || comparePositions(record, after) > 0) records.add(record);
      }
    }
    return records.sorted();
  }
}

/** The records of a trace in one object. */
async function* recordsIn(
  object: Readable,
  traceId: string,
  signal: AbortSignal,
): AsyncGenerator<StoredRecord, void> {
  const needle = Buffer.from(ndjsonTrace(traceId), 'latin1');
  const find = finderOf(traceId);
  let rest: Buffer = Buffer.alloc(0);
  let offset = 0;
  for await (const chunk of object.compose(createGunzip(), { signal }) as AsyncIterable<Buffer>) {
    const text = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const end = text.lastIndexOf(LINE_FEED) + 1;
    rest = text.subarray(end);
    if (end === 0) continue;
    const lines = { text: text.subarray(0, end), offset };
    offset += end;
    if (!lines.text.includes(needle)) continue;
    for (const { unixNano, offset: at, length, id } of find(lines)) {
      const start = at - lines.offset;
      // A copy: what is kept must not keep the piece around it.
      yield {
        unixNano,
        id: id ?? placeId(at),
        bytes: Buffer.from(lines.text.subarray(start, start + length)),
      };
    }
  }
}
