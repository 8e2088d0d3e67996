import type { KafkaAccess } from '../config/config.ts';
import { pause } from '../util/pause.ts';
import { KafkaPartitions, type KafkaRecord } from './kafka-partitions.ts';
import { recentInKafka } from './kafka-recent.ts';
import type { Nodes } from './known-node.ts';
import type { NodesElsewhere } from './nodes-elsewhere.ts';
import { Smallest } from './smallest.ts';
import { widened } from './span.ts';
import { comparePositions, type Position, type StoredRecord } from './stored-record.ts';
import {
  type Followed,
  isWithin,
  type ReadOptions,
  type RecentTraces,
  type TraceReader,
} from './trace-reader.ts';
import type { Span } from './trace-state.ts';

/** So many places of records are kept at once, at about 200 bytes; the partition is gone through once for each so many. */
const MOST_PLACES = 100_000;
/** Records are fetched again for about so many bytes at once. */
const CHUNK_BYTES = 8 * 2 ** 20;
/** So many identities are remembered, to tell records that were written twice. */
const MOST_SEEN = 100_000;
const LOOK_MS = 500;

interface Place extends Position {
  readonly offset: bigint;
  readonly length: number;
}

/**
 * Reads traces from Kafka: through the partition of the trace's key, from its beginning, for the places of its
 * records; then the records, in order of time. What was written twice is given once. A mark is the next offset of
 * each partition.
 */
export class KafkaTraceReader implements TraceReader {
  readonly name: string;
  readonly #access: KafkaAccess;
  /** For what is asked besides a reading, which has one of its own. */
  readonly #partitions: KafkaPartitions;
  readonly #nodes: NodesElsewhere;
  readonly #mostPlaces: number;

  /** @param mostPlaces places kept at once; only tests give one. */
  constructor(access: KafkaAccess, nodes: NodesElsewhere, mostPlaces = MOST_PLACES) {
    this.#access = access;
    this.#partitions = new KafkaPartitions(access);
    this.#nodes = nodes;
    this.#mostPlaces = mostPlaces;
    this.name = `kafka (${access.topic} at ${access.brokers.join(', ')})`;
  }

  async now(signal: AbortSignal): Promise<string> {
    return (await this.#partitions.ends(signal)).next.join(',');
  }

  async *read(
    traceId: string,
    signal: AbortSignal,
    options: ReadOptions = {},
  ): AsyncGenerator<StoredRecord, void> {
    const partitions = new KafkaPartitions(this.#access);
    try {
      const partition = await partitions.partitionOf(traceId, signal);
      const range = await rangeOf(partitions, { partition, mark: options.at }, signal);
      for (let { after } = options; ;) {
        const places = await this.#places(
          partitions,
          { traceId, partition, range, options: { ...options, after } },
          signal,
        );
        for (const chunk of chunksOf(places)) {
          const records = await fetchAll(partitions, { partition, places: chunk }, signal);
          for (const { unixNano, id, offset } of chunk) {
            const bytes = records.get(offset);
            // Deleted meanwhile, by the topic's retention.
            if (bytes !== undefined) yield { unixNano, id, bytes };
          }
        }
        if (places.length < this.#mostPlaces) return;
        after = places.at(-1);
      }
    } finally {
      await partitions.close();
    }
  }

  async *follow(traceId: string, mark: string, signal: AbortSignal): AsyncGenerator<Followed, void> {
    const partitions = new KafkaPartitions(this.#access);
    try {
      const offsets = mark.split(',');
      let partition: number | undefined;
      const seen = new Set<string>();
      for (;;) {
        signal.throwIfAborted();
        try {
          partition ??= await partitions.partitionOf(traceId, signal);
          const piece = await partitions.fetch(partition, { from: BigInt(offsets[partition] ?? 0) }, signal);
          offsets[partition] = String(piece.next);
          const records = firstOfEach(ofTrace(piece.records, traceId), seen);
          if (records.length > 0) yield { records, mark: offsets.join(',') };
          if (piece.records.length > 0) continue;
        } catch (error) {
          if (signal.aborted) throw error;
        }
        await pause(LOOK_MS, signal);
      }
    } finally {
      await partitions.close();
    }
  }

  async recent(limit: number, signal: AbortSignal): Promise<RecentTraces> {
    const partitions = new KafkaPartitions(this.#access);
    try {
      return await recentInKafka(partitions, limit, signal);
    } finally {
      await partitions.close();
    }
  }

  async nodes(signal: AbortSignal): Promise<Nodes> {
    return await this.#nodes.nodes(signal);
  }

  async span(traceId: string, mark: string, signal: AbortSignal): Promise<Span | undefined> {
    const partitions = new KafkaPartitions(this.#access);
    try {
      const partition = await partitions.partitionOf(traceId, signal);
      const range = await rangeOf(partitions, { partition, mark }, signal);
      let span: Span | undefined;
      for await (const piece of partitions.messages(partition, range, signal)) {
        for (const { unixNano } of ofTrace(piece, traceId)) span = widened(span, unixNano);
      }
      return span;
    } finally {
      await partitions.close();
    }
  }

  async *between(
    traceId: string,
    { after, upTo }: { readonly after: string; readonly upTo: string },
    signal: AbortSignal,
  ): AsyncGenerator<readonly StoredRecord[], void> {
    const partitions = new KafkaPartitions(this.#access);
    try {
      const partition = await partitions.partitionOf(traceId, signal);
      const range = { from: offsetIn(after, partition), to: offsetIn(upTo, partition) };
      const seen = new Set<string>();
      for await (const piece of partitions.messages(partition, range, signal)) {
        const records = firstOfEach(ofTrace(piece, traceId), seen);
        if (records.length > 0) yield records;
      }
    } finally {
      await partitions.close();
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#partitions.close(), this.#nodes.close()]);
  }

  /** The first places of those that are wanted, in order; of what is there twice, the first. */
  async #places(
    partitions: KafkaPartitions,
    {
      traceId,
      partition,
      range,
      options,
    }: {
      traceId: string;
      partition: number;
      range: { from: bigint; to: bigint };
      options: ReadOptions;
    },
    signal: AbortSignal,
  ): Promise<readonly Place[]> {
    const { after } = options;
    const places = new Smallest<Place>(this.#mostPlaces, compareHere);
    for await (const piece of partitions.messages(partition, range, signal)) {
      for (const { unixNano, id, offset, value } of ofTrace(piece, traceId)) {
        const place = { unixNano, id, offset, length: value.length };
        if (!isWithin(unixNano, options)) continue;
        if (after === undefined || comparePositions(place, after) > 0) places.add(place);
      }
    }
    return places.sorted();
  }
}

/** From the first message that is there to a mark, or to the end. */
async function rangeOf(
  partitions: KafkaPartitions,
  { partition, mark }: { readonly partition: number; readonly mark: string | undefined },
  signal: AbortSignal,
): Promise<{ from: bigint; to: bigint }> {
  const { first, next } = await partitions.ends(signal);
  return {
    from: first[partition] ?? 0n,
    to: mark === undefined ? (next[partition] ?? 0n) : offsetIn(mark, partition),
  };
}

/** The records at some offsets, by offset. */
async function fetchAll(
  partitions: KafkaPartitions,
  { partition, places }: { readonly partition: number; readonly places: readonly Place[] },
  signal: AbortSignal,
): Promise<Map<bigint, Buffer>> {
  const found = new Map<bigint, Buffer>();
  const wanted = places.map(({ offset }) => offset).toSorted((a, b) => (a < b ? -1 : 1));
  for (let index = 0; index < wanted.length;) {
    const from = wanted[index]!;
    const { records, next } = await partitions.fetch(partition, { from, upTo: from + 1n }, signal);
    const all = new Map(records.map(({ offset, value }) => [offset, value]));
    while (index < wanted.length && wanted[index]! < next) {
      const value = all.get(wanted[index]!);
      // A copy: the piece that was fetched is not kept for one record in it.
      if (value !== undefined) found.set(wanted[index]!, Buffer.from(value));
      index++;
    }
  }
  return found;
}

/** Places whose records weigh about as much as may be held at once; what is there twice is left out. */
function* chunksOf(places: readonly Place[]): Generator<readonly Place[], void> {
  let chunk: Place[] = [];
  let bytes = 0;
  let last: Place | undefined;
  for (const place of places) {
    if (last !== undefined && comparePositions(last, place) === 0) continue;
    last = place;
    if (bytes + place.length > CHUNK_BYTES && chunk.length > 0) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(place);
    bytes += place.length;
  }
  if (chunk.length > 0) yield chunk;
}

function compareHere(a: Place, b: Place): number {
  return comparePositions(a, b) || (a.offset < b.offset ? -1 : Number(a.offset > b.offset));
}

function ofTrace(records: readonly KafkaRecord[], traceId: string): KafkaRecord[] {
  const key = Buffer.from(traceId, 'utf8');
  return records.filter((record) => record.traceId.equals(key));
}

function firstOfEach(records: readonly KafkaRecord[], seen: Set<string>): StoredRecord[] {
  const fresh = records.filter(({ id }) => {
    const isNew = !seen.has(id);
    seen.add(id);
    return isNew;
  });
  for (const oldest of seen) {
    if (seen.size <= MOST_SEEN) break;
    seen.delete(oldest);
  }
  return fresh.map(({ unixNano, id, value }) => ({ unixNano, id, bytes: Buffer.from(value) }));
}

function offsetIn(mark: string, partition: number): bigint {
  return BigInt(mark.split(',')[partition] ?? 0);
}
