import { Producer } from '@platformatic/kafka';
import type { KafkaAccess } from '../config/config.ts';
import type { LogRecord } from '../record/log-record.ts';
import { orAborted } from '../util/or-aborted.ts';
import { kafkaOptions } from './kafka-client.ts';
import { KafkaFailure, type PartitionAnswer, refusalOf } from './kafka-errors.ts';
import { messagesOf, partitionOf } from './kafka-message.ts';
import { type LogWriter, PartialWriteError, type Rejection } from './log-writer.ts';

export interface KafkaWriterOptions {
  readonly access: KafkaAccess;
  /** KUBERNETES_METADATA. */
  readonly kubernetes: boolean;
}

/**
 * The client tries a request again by itself for about so long, under the same sequence numbers, so that a broker
 * that has it already does not take it twice. What fails longer is tried again as a new one.
 */
const RETRIES = 60;
const RETRY_MS = 500;
const CHECK_MS = 5_000;

interface Outcome {
  readonly stored: LogRecord[];
  readonly rejections: Rejection[];
  failure: string | undefined;
}

/**
 * Writes records to a topic of Kafka: the trace is the key, so that it is in order in one partition. One request at a
 * time: sequence numbers, by which brokers know what they have, must not overtake each other.
 */
export class KafkaWriter implements LogWriter {
  readonly name = 'kafka';
  /** A broker takes 1 MiB for one partition by default, headers included. */
  readonly batch = { records: 2_000, bytes: 524_288 };
  readonly #options: KafkaWriterOptions;
  #producer: Promise<Producer> | undefined;
  /** Ends when the write that is under way does. */
  #turn: Promise<void> = Promise.resolve();

  constructor(options: KafkaWriterOptions) {
    this.#options = options;
  }

  async open(signal: AbortSignal): Promise<void> {
    await this.check(signal);
  }

  /** Whether the topic is there, with a leader for each partition. */
  async check(signal: AbortSignal): Promise<void> {
    const { topic } = this.#options.access;
    await this.#call(
      async (producer) => {
        const { topics } = await producer.metadata({
          topics: [topic],
          autocreateTopics: true,
          forceUpdate: true,
          retries: 0,
        });
        const partitions = topics.get(topic)?.partitions ?? [];
        const headless = partitions.findIndex((partition) => partition.leader < 0);
        if (headless >= 0) throw new Error(`the partition ${headless} of ${topic} has no leader`);
      },
      signal,
      CHECK_MS,
    );
  }

  async writeBatch(records: readonly LogRecord[], signal: AbortSignal): Promise<void> {
    const before = this.#turn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turn = promise;
    const outcome: Outcome = { stored: [], rejections: [], failure: undefined };
    try {
      await orAborted(before, signal);
      await this.#write(records, outcome, signal);
    } catch (error) {
      if (outcome.stored.length === 0 && outcome.rejections.length === 0) throw error;
      outcome.failure = error instanceof Error ? error.message : String(error);
    } finally {
      // Who gave up waiting must not let the next one overtake the one before.
      void before.then(resolve);
    }
    if (outcome.failure === undefined && outcome.rejections.length === 0) return;
    if (outcome.stored.length === 0 && outcome.rejections.length === 0) throw plain(outcome.failure);
    throw new PartialWriteError(outcome.failure ?? 'some records are refused', outcome);
  }

  async close(): Promise<void> {
    await this.#drop();
  }

  async #write(records: readonly LogRecord[], outcome: Outcome, signal: AbortSignal): Promise<void> {
    const { access, kubernetes } = this.#options;
    const { topic } = access;
    let partitions = 1;
    try {
      await this.#call(async (producer) => {
        const { topics } = await producer.metadata({ topics: [topic], autocreateTopics: true });
        partitions = topics.get(topic)?.partitionsCount ?? 1;
        const messages = messagesOf(records, { topic, partitions, kubernetes });
        await producer.send({ messages });
      }, signal);
      outcome.stored.push(...records);
      return;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (!(error instanceof KafkaFailure) || error.answers.length === 0) throw error;
      const { answers, message } = error;
      outcome.failure = await this.#sort(records, { answers, partitions, message }, outcome, signal);
    }
  }

  /** Of a request that failed in part: what is stored, what is too large together or alone, and what is neither. */
  async #sort(
    records: readonly LogRecord[],
    sorting: { answers: readonly PartitionAnswer[]; partitions: number; message: string },
    outcome: Outcome,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { answers, partitions, message } = sorting;
    let failure: string | undefined;
    const byPartition = Map.groupBy(records, ({ traceId }) => partitionOf(traceId, partitions));
    for (const [partition, ones] of byPartition) {
      const codes = answers.filter((answer) => answer.partition === partition).map(({ code }) => code);
      const reason = codes.map(refusalOf).find((text) => text !== undefined);
      if (codes.includes(0)) outcome.stored.push(...ones);
      else if (reason === undefined) failure ??= message;
      else if (ones.length === 1) outcome.rejections.push({ record: ones[0]!, reason });
      else {
        const half = Math.ceil(ones.length / 2);
        for (const part of [ones.slice(0, half), ones.slice(half)]) {
          const inner: Outcome = {
            stored: outcome.stored,
            rejections: outcome.rejections,
            failure: undefined,
          };
          await this.#write(part, inner, signal);
          failure ??= inner.failure;
        }
      }
    }
    return failure;
  }

  /**
   * @param limitMs gives up after so long; without it when the client does.
   * @throws KafkaFailure, or the signal's reason.
   */
  async #call<T>(
    call: (producer: Producer) => Promise<T>,
    signal: AbortSignal,
    limitMs?: number,
  ): Promise<T> {
    signal.throwIfAborted();
    this.#producer ??= this.#make();
    const used = this.#producer;
    const limit = limitMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
    try {
      return await orAborted(used.then(call), limit);
    } catch (error) {
      // The client would go on with what nobody waits for, and would not read renewed secrets.
      if (limitMs === undefined || /authentic/i.test(String(error))) await this.#drop(used);
      if (signal.aborted) throw signal.reason;
      throw new KafkaFailure(error, this.#options.access.topic);
    }
  }

  async #make(): Promise<Producer> {
    const { access } = this.#options;
    return new Producer({
      ...(await kafkaOptions(access)),
      idempotent: true,
      compression: access.compression,
      retries: RETRIES,
      retryDelay: RETRY_MS,
    });
  }

  /** @param used only where it is still the one in use. */
  async #drop(used = this.#producer): Promise<void> {
    if (used === undefined || this.#producer !== used) return;
    this.#producer = undefined;
    await used.then((producer) => producer.close(true)).catch(() => undefined);
  }
}

function plain(message = 'nothing was written'): Error {
  const error = new Error(message);
  delete error.stack;
  return error;
}
