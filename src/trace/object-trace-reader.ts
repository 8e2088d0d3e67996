import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { ObjectNames } from '../writers/object-names.ts';
import type { ObjectStore } from '../writers/object-store.ts';
import { ndjsonTrace } from '../writers/ndjson.ts';
import { finderOf, placeId } from './file-lines.ts';
import { inParallel } from './in-parallel.ts';
import type { Nodes } from './known-node.ts';
import { objectNodes } from './object-nodes.ts';
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
import { timeOf } from './unix-time.ts';

/** So many records are kept at once; an hour's objects are gone through once for each so many. */
const MOST_RECORDS = 10_000;
/** And so many bytes of them, or one record. */
const MOST_BYTES = 32 * 2 ** 20;
/** Objects that are read at once: most of the time goes by until the first byte is there. */
const AT_ONCE = 8;
const NAMES = 1_000;
/** How far back is looked where nobody says. */
const DEFAULT_SPAN = 3_600_000_000_000n;
const LINE_FEED = 0x0a;

/**
 * Reads traces from the objects of s3 and gcs, by going through those of the hours that are asked for. What tells of
 * the whole store (the newest traces, the first and last time of one, what comes next) cannot be had from it.
 */
export class ObjectTraceReader implements TraceReader {
  readonly name: string;
  readonly onlyReads = 'objects tell what is in them, and not what is still to come';
  readonly #store: ObjectStore;
  readonly #prefix: string;
  readonly #names: ObjectNames;
  readonly #mostRecords: number;
  #looked: Looked | undefined;
  #nodesSeen = new Set<string>();

  /**
   * @param prefix what the names of objects begin with.
   * @param mostRecords kept at once; only tests give it.
   */
  constructor(store: ObjectStore, prefix: string, mostRecords = MOST_RECORDS) {
    this.name = store.name;
    this.#store = store;
    this.#prefix = prefix;
    this.#names = new ObjectNames(prefix);
    this.#mostRecords = mostRecords;
  }

  get looked(): string | undefined {
    return this.#looked && wordsOf(this.#looked, this.name);
  }

  get nodesSeen(): ReadonlySet<string> {
    return this.#nodesSeen;
  }

  /** The time, in milliseconds since 1970: the end of what is looked through. It cannot be told what came later. */
  async now(signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    return String(Date.now());
  }

  /** Where `since` is not told it is the last hour: to read all that was ever written takes too long. */
  async *read(
    traceId: string,
    signal: AbortSignal,
    { at = String(Date.now()), since, until, after }: ReadOptions = {},
  ): AsyncGenerator<StoredRecord, void> {
    const last = until === undefined ? BigInt(at) * 1_000_000n : BigInt(until);
    const first = since === undefined ? last - DEFAULT_SPAN : BigInt(since);
    const span = { since: String(first), until };
    const looked = { first, last, asked: since !== undefined, listed: 0, read: 0 };
    this.#looked = looked;
    this.#nodesSeen = new Set();
    // An hour's objects hold that hour's records and no others, so one hour after the other is in order.
    for (const hour of this.#names.hours({ first, last })) {
      for (let begin: Position | undefined = after; ;) {
        const wanted = { traceId, options: { ...span, after: begin } };
        const { records, isCut, listed, read } = await this.#recordsOf(hour, wanted, signal);
        if (begin === after) {
          looked.listed += listed;
          looked.read += read;
        }
        let before: Position | undefined;
        for (const record of records) {
          // After a crash a record may be in two objects.
          if (before === undefined || comparePositions(record, before) !== 0) yield record;
          before = record;
        }
        if (!isCut) break;
        begin = before;
      }
    }
  }

  follow(_traceId: string, _mark: string, signal: AbortSignal): AsyncIterable<Followed> {
    signal.throwIfAborted();
    throw new Error(this.onlyReads);
  }

  async recent(_limit: number, signal: AbortSignal): Promise<RecentTraces> {
    signal.throwIfAborted();
    throw new Error(
      'a bucket has no list of traces: «frostbeat trace <traceId> --since 1h» looks for one by its ID',
    );
  }

  async nodes(signal: AbortSignal): Promise<Nodes> {
    return await objectNodes({ store: this.#store, prefix: this.#prefix }, signal);
  }

  /** Not known without a look at everything. */
  async span(_traceId: string, _mark: string, signal: AbortSignal): Promise<Span | undefined> {
    signal.throwIfAborted();
    return undefined;
  }

  between(_traceId: string, _marks: unknown, signal: AbortSignal): AsyncIterable<readonly StoredRecord[]> {
    signal.throwIfAborted();
    throw new Error(this.onlyReads);
  }

  async close(): Promise<void> {
    this.#store.close();
  }

  /** The first records of an hour that are wanted, in order. */
  async #recordsOf(
    hour: string,
    { traceId, options }: { traceId: string; options: ReadOptions },
    signal: AbortSignal,
  ): Promise<HourOfRecords> {
    const { since = '0', until, after } = options;
    const weight = { of: ({ bytes }: StoredRecord) => bytes.length, most: MOST_BYTES };
    const records = new Smallest<StoredRecord>(this.#mostRecords, comparePositions, weight);
    const readAll = async (names: readonly string[]): Promise<void> => {
      await inParallel(names, AT_ONCE, async (name) => {
        for await (const record of recordsIn(await this.#store.read(name, signal), traceId, signal)) {
          if (!isWithin(record.unixNano, options)) continue;
          if (after === undefined || comparePositions(record, after) > 0) records.add(record);
        }
      });
    };
    let [listed, read] = [0, 0];
    let names: string[] = [];
    for await (const name of this.#store.list(hour, signal)) {
      const object = this.#names.parse(name);
      if (object === undefined) continue;
      listed++;
      this.#nodesSeen.add(object.node);
      if (object.last < BigInt(since) || (until !== undefined && object.first >= BigInt(until))) continue;
      read++;
      if (names.push(name) < NAMES) continue;
      await readAll(names);
      names = [];
    }
    await readAll(names);
    return { records: records.sorted(), isCut: records.isCut, listed, read };
  }
}

interface HourOfRecords {
  readonly records: readonly StoredRecord[];
  /** Whether there are more behind them. */
  readonly isCut: boolean;
  /** Objects of the hour, and those of them that may hold what is wanted by their names. */
  readonly listed: number;
  readonly read: number;
}

/** What a reading went through. */
interface Looked {
  readonly first: bigint;
  readonly last: bigint;
  /** Whether somebody said from when on. */
  readonly asked: boolean;
  readonly listed: number;
  readonly read: number;
}

function wordsOf({ first, last, asked, listed, read }: Looked, name: string): string {
  const [from, to] = [first, last].map((nano) => `${timeOf(nano).slice(0, 19)}Z`);
  const which = asked ? '' : '; --since says how far back to look, by default an hour';
  return `looked through ${read} of the ${listed} objects that ${name} has of ${from} to ${to}${which}`;
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
