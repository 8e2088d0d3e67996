import { Consumer, type RecordsBatch } from '@platformatic/kafka';
import type { KafkaAccess } from '../config/config.ts';
import { orAborted } from '../util/or-aborted.ts';
import { kafkaOptions } from '../writers/kafka-client.ts';
import { KafkaFailure } from '../writers/kafka-errors.ts';
import { ID_HEADER, partitionOf, TIME_HEADER } from '../writers/kafka-message.ts';

/** What is fetched at once, in bytes; one larger message comes alone. */
const FETCH_BYTES = 1_048_576;
const WAIT_MS = 500;
const MOST_ATTEMPTS = 10;

/** A message of ours. */
export interface KafkaRecord {
  readonly offset: bigint;
  readonly traceId: Buffer;
  readonly id: string;
  readonly unixNano: string;
  readonly value: Buffer;
}

/** Offsets of the first message that is there, and of the next one to be written, by partition. */
export interface Ends {
  readonly first: readonly bigint[];
  readonly next: readonly bigint[];
}

/** Messages of a partition, and the offset behind the last of them. */
export interface Piece {
  readonly records: readonly KafkaRecord[];
  readonly next: bigint;
}

/** What a broker answers of a partition, as far as it is used here. */
interface PartitionFetch {
  readonly highWatermark: bigint;
  readonly records?: readonly RecordsBatch[] | null;
}

/**
 * Reads partitions of the writer's topic, without a consumer group: nothing of it is kept in Kafka. For one reading at
 * a time: brokers keep of a client what it fetched last, and two at once would be given each other's.
 */
export class KafkaPartitions {
  readonly #access: KafkaAccess;
  #consumer: Promise<Consumer> | undefined;

  constructor(access: KafkaAccess) {
    this.#access = access;
  }

  async partitionOf(traceId: string, signal: AbortSignal): Promise<number> {
    const { partitionsCount } = await this.#topic(signal);
    return partitionOf(traceId, partitionsCount);
  }

  async ends(signal: AbortSignal): Promise<Ends> {
    const { topic } = this.#access;
    return await this.#call(async (consumer) => {
      const [first, next] = await Promise.all([
        consumer.listOffsets({ topics: [topic], timestamp: -2n }),
        consumer.listOffsets({ topics: [topic], timestamp: -1n }),
      ]);
      return { first: first.get(topic) ?? [], next: next.get(topic) ?? [] };
    }, signal);
  }

  /** The messages of a partition from one offset on and before another, in pieces; those that are none of ours left out. */
  async *messages(
    partition: number,
    { from, to }: { readonly from: bigint; readonly to: bigint },
    signal: AbortSignal,
  ): AsyncGenerator<readonly KafkaRecord[], void> {
    for (let at = from; at < to;) {
      signal.throwIfAborted();
      const piece = await this.fetch(partition, { from: at, upTo: to }, signal);
      at = piece.next;
      yield piece.records.filter(({ offset }) => offset < to);
    }
  }

  /**
   * What there is from an offset on, at most a piece; waits half a second where there is nothing.
   *
   * @param range.upTo before which there is something, as the brokers said.
   * @throws where it stays away: what is there must not be left out in silence.
   */
  async fetch(
    partition: number,
    { from, upTo = from }: { readonly from: bigint; readonly upTo?: bigint },
    signal: AbortSignal,
  ): Promise<Piece> {
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#fetch(partition, from, signal);
      const piece = pieceOf(answer?.records ?? [], from);
      const isMissing =
        piece.next === from && (answer === undefined || answer.highWatermark > from || from < upTo);
      if (!isMissing) return piece;
      if (attempt === MOST_ATTEMPTS)
        throw new Error(`the broker gives nothing from offset ${from} of partition ${partition} on`);
      // Seen: a broker that was asked in a session of fetches answers with nothing. A new one begins with a new client.
      await this.close();
    }
  }

  async close(): Promise<void> {
    const consumer = this.#consumer;
    this.#consumer = undefined;
    await consumer?.then((one) => one.close(true)).catch(() => undefined);
  }

  async #fetch(partition: number, from: bigint, signal: AbortSignal): Promise<PartitionFetch | undefined> {
    const { id: topicId, partitions } = await this.#topic(signal);
    const { responses } = await this.#call(
      (consumer) =>
        consumer.fetch({
          node: partitions[partition]?.leader ?? -1,
          maxWaitTime: WAIT_MS,
          minBytes: 1,
          maxBytes: FETCH_BYTES,
          topics: [
            {
              topicId,
              partitions: [
                {
                  partition,
                  fetchOffset: from,
                  partitionMaxBytes: FETCH_BYTES,
                  currentLeaderEpoch: -1,
                  lastFetchedEpoch: -1,
                },
              ],
            },
          ],
        }),
      signal,
    );
    return responses[0]?.partitions.find(({ partitionIndex }) => partitionIndex === partition);
  }

  async #topic(signal: AbortSignal) {
    const { topic } = this.#access;
    return await this.#call(async (consumer) => {
      consumer.topics.track(topic);
      const { topics } = await consumer.metadata({ topics: [topic] });
      const found = topics.get(topic);
      if (found === undefined) throw new Error(`Unknown topic ${topic}`);
      return found;
    }, signal);
  }

  async #call<T>(call: (consumer: Consumer) => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    this.#consumer ??= this.#make();
    try {
      return await orAborted(this.#consumer.then(call), signal);
    } catch (error) {
      await this.close();
      if (signal.aborted) throw signal.reason;
      throw new KafkaFailure(error, this.#access.topic);
    }
  }

  async #make(): Promise<Consumer> {
    return new Consumer({
      ...(await kafkaOptions(this.#access)),
      // Asked for, and never joined.
      groupId: 'frostbeat-trace',
      retries: 3,
      retryDelay: 300,
    });
  }
}

function pieceOf(batches: readonly RecordsBatch[], from: bigint): Piece {
  let next = from;
  const records: KafkaRecord[] = [];
  for (const batch of batches) {
    for (const { offsetDelta, key, value, headers } of batch.records) {
      const offset = batch.firstOffset + BigInt(offsetDelta);
      if (offset < from) continue;
      const id = headerOf(headers, ID_HEADER);
      const unixNano = headerOf(headers, TIME_HEADER);
      if (key !== null && value !== null && id !== undefined && unixNano !== undefined)
        records.push({ offset, traceId: key, id, unixNano, value });
    }
    const last = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n;
    if (last > next) next = last;
  }
  return { records, next };
}

function headerOf(
  headers: readonly (readonly [Buffer | null, Buffer | null])[],
  name: string,
): string | undefined {
  return headers.find(([key]) => key?.toString() === name)?.[1]?.toString('latin1');
}
