import type { Logger } from 'pino';
import { Batcher } from '../batch/batcher.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { TrackedRecord } from '../record/agent-record.ts';
import type { LogWriter, Rejection } from '../writers/log-writer.ts';
import { Delivery } from './delivery.ts';
import { OpenFirst } from './open-first.ts';
import { keepProbing } from './probe.ts';

export interface DestinationOptions {
  readonly writer: LogWriter;
  /** BATCH_SIZE and BATCH_PERIOD; a writer may ask for larger batches. */
  readonly batchSize: number;
  readonly batchPeriodMs: number;
  readonly maxInFlight: number;
  readonly deadLetter: (rejections: readonly Rejection[], writer: string) => Promise<void>;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** There is room again. */
  readonly onRoom: () => void;
}

export interface Queue {
  readonly batches: number;
  /** Of these, so many are being written, and so many failed and wait to be tried again. */
  readonly writing: number;
  readonly failed: number;
  /** Bytes of the records' values. */
  readonly bytes: number;
}

/**
 * Bytes in a batch unless the writer asks for more, and bytes that may wait for one writer. What waits long is
 * moved about by V8's collector and grows its heap (measured with 8 MiB: a third more CPU, 100 MB more memory).
 */
const BATCH_BYTES = 1024 * 1024;
const WAITING_BYTES = 1024 * 1024;
/** So many batches may wait for each that is being written. */
const WAITING_BATCHES = 4;

/** All that one writer needs around it: its batches, their delivery, its health. */
export class Destination {
  readonly #writer: OpenFirst;
  readonly #batcher: Batcher;
  readonly #delivery: Delivery;

  constructor({ writer, batchSize, batchPeriodMs, metrics, ...options }: DestinationOptions) {
    const { name } = writer;
    this.#writer = new OpenFirst(writer);
    // Looked up once: for a batch of twenty records the look-up by labels weighs more than the write.
    const seconds = {
      ok: metrics.writeSeconds.labels({ writer: name, outcome: 'ok' }),
      error: metrics.writeSeconds.labels({ writer: name, outcome: 'error' }),
    };
    const batchRecords = metrics.batchRecords.labels({ writer: name });
    const batchBytes = metrics.batchBytes.labels({ writer: name });
    const delivered = metrics.recordsDelivered.labels({ writer: name });
    // A series that begins with its first failure would show no increase.
    for (const counter of [metrics.retries, metrics.deadLetters]) counter.inc({ writer: name }, 0);
    this.#delivery = new Delivery({
      ...options,
      writer: this.#writer,
      maxBatches: options.maxInFlight * WAITING_BATCHES,
      maxBytes: Math.max(WAITING_BYTES, (writer.batch?.bytes ?? 0) * 2),
      onAttempt: (outcome, took, { records, bytes }) => {
        seconds[outcome].observe(took);
        batchRecords.observe(records.length);
        batchBytes.observe(bytes);
        options.log.debug(
          { writer: name, outcome, seconds: took, records: records.length, bytes },
          'A batch was tried.',
        );
      },
      onRetry: () => metrics.retries.inc({ writer: name }),
      onStored: (records) => delivered.inc(records),
    });
    const limits = {
      records: Math.max(batchSize, writer.batch?.records ?? 0),
      bytes: writer.batch?.bytes ?? BATCH_BYTES,
      periodMs: Math.max(batchPeriodMs, writer.batch?.periodMs ?? 0),
    };
    this.#batcher = new Batcher(limits, (batch) => this.#delivery.submit(batch));
  }

  get name(): string {
    return this.#writer.name;
  }

  /** Reading has to wait. */
  get full(): boolean {
    return this.#delivery.full;
  }

  /** What was taken and is not settled yet. */
  get queue(): Queue {
    const { batches, writing, failed, bytes } = this.#delivery;
    return { batches, writing, failed, bytes };
  }

  /** Why delivery is stuck, though the store is free: see `Delivery.stuck`. */
  stuck(): string | undefined {
    return this.#delivery.stuck();
  }

  /** When a batch was last written, in milliseconds since 1970; 0 for never. */
  get workedAt(): number {
    return this.#delivery.health.workedAt;
  }

  /** Why the writer does not work; undefined when it does. */
  get failure(): string | undefined {
    return this.#delivery.health.failure;
  }

  add(record: TrackedRecord): void {
    record.addDestination();
    this.#batcher.add(record);
  }

  /** What waits for more is written at once. */
  flush(): void {
    this.#batcher.flush();
  }

  /** Looks after the writer's health until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await keepProbing(this.#writer, this.#delivery.health, signal);
  }

  /** Writes what there is. Resolves when all is settled or the deadline aborts; then nothing is tried any more. */
  async drain(deadline: AbortSignal): Promise<void> {
    this.flush();
    await this.#delivery.drained(deadline);
    this.#delivery.stop();
  }

  async close(): Promise<void> {
    await this.#writer.close();
  }
}
