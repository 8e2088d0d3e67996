import type { Logger } from 'pino';
import type { Batch } from '../batch/batch.ts';
import { type LogWriter, RejectedError, type Rejection } from '../writers/log-writer.ts';
import { Backoff } from './backoff.ts';
import { WriterHealth } from './writer-health.ts';

export interface DeliveryOptions {
  readonly writer: LogWriter;
  /** Batches being written at once, at least 1. */
  readonly maxInFlight: number;
  /** Most batches, and most bytes of values, that wait here; beyond it `full` asks the reader to wait. */
  readonly maxBatches: number;
  readonly maxBytes: number;
  /** Keeps what a destination refuses for good. Resolves when it is durable. */
  readonly deadLetter: (rejections: readonly Rejection[], writer: string) => Promise<void>;
  readonly log: Logger;
  /** Room was made. */
  readonly onRoom: () => void;
  readonly onAttempt?: (outcome: 'ok' | 'error', seconds: number, batch: Batch) => void;
  readonly onRetry?: () => void;
}

/** A write that neither ends nor fails for so long will not by itself. */
const STUCK_MS = 300_000;
/** An answer so long ago still tells that the store is there; probes come every 15 s. */
const FREE_MS = 60_000;

/**
 * Brings batches to one destination: several at once, in any order. One that fails leaves its slot to the others
 * and is tried again on a path of its own, one attempt at a time, until it is delivered or the agent stops.
 * What a destination refuses for good goes to the dead letters. A batch settles when all of it is durable.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #queue: Batch[] = [];
  readonly #failed: { batch: Batch; error: unknown }[] = [];
  readonly #stop = new AbortController();
  #writing = 0;
  #retrying = false;
  #batches = 0;
  #bytes = 0;
  #onIdle: (() => void) | undefined;
  /** When each attempt that is under way began, the oldest first; in milliseconds since 1970. */
  readonly #attempts = new Map<Batch, number>();
  /** When an attempt or a pause last came to an end, or there was nothing to do; the same. */
  #movedAt = 0;
  #pausing = false;
  readonly health: WriterHealth;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.health = new WriterHealth(options.writer.name, options.log);
  }

  get full(): boolean {
    return this.#batches >= this.#options.maxBatches || this.#bytes >= this.#options.maxBytes;
  }

  /** Batches taken and not settled. */
  get batches(): number {
    return this.#batches;
  }

  /** Of these, so many are being written, and so many failed and wait to be tried again. */
  get writing(): number {
    return this.#writing;
  }
  get failed(): number {
    return this.#failed.length;
  }

  /** Bytes of values in the batches taken and not settled. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Why it is stuck, though the store is free: the writer answered within the last minute, and an attempt takes
   * longer than any may, or none is made. A store that is down makes attempts fail, and is no such case.
   *
   * @param now milliseconds since 1970.
   */
  stuck(now = Date.now()): string | undefined {
    const [oldest] = this.#attempts.values();
    const rests = this.#batches === 0 || this.#pausing;
    const since = oldest ?? (rests ? undefined : this.#movedAt);
    if (since === undefined || now - since < STUCK_MS || now - this.health.answeredAt > FREE_MS)
      return undefined;
    const seconds = Math.round((now - since) / 1000);
    return `a batch has waited for ${seconds} s to be written, though ${this.#options.writer.name} answers`;
  }

  submit(batch: Batch): void {
    if (this.#batches === 0) this.#movedAt = Date.now();
    this.#batches++;
    this.#bytes += batch.bytes;
    this.#queue.push(batch);
    this.#pump();
  }

  /** Resolves when everything is settled, or the signal aborts. */
  async drained(signal: AbortSignal): Promise<void> {
    if (this.#batches === 0 || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle = resolve;
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
  }

  /** Ends attempts and pauses that are under way; what is not settled stays so. */
  stop(): void {
    this.#stop.abort(new Error('the agent stops'));
  }

  #pump(): void {
    const { maxInFlight } = this.#options;
    while (this.#writing < maxInFlight && this.#queue.length > 0) void this.#first(this.#queue.shift()!);
  }

  async #first(batch: Batch): Promise<void> {
    this.#writing++;
    const failure = await this.#attempt(batch);
    this.#writing--;
    if (failure !== undefined) {
      this.#failed.push(failure);
      if (!this.#retrying) void this.#retryAll();
    }
    this.#pump();
  }

  async #retryAll(): Promise<void> {
    this.#retrying = true;
    const backoff = new Backoff();
    let last = this.#failed.at(-1);
    while (this.#failed.length > 0 && !this.#stop.signal.aborted) {
      if (last !== undefined) await this.#pause(backoff, last.error);
      if (this.#stop.signal.aborted) break;
      const { batch } = this.#failed.shift()!;
      this.#options.onRetry?.();
      const failure = await this.#attempt(batch);
      // A batch that fails again goes behind the others: it may be the only one that cannot be written.
      if (failure !== undefined) this.#failed.push(failure);
      else backoff.reset();
      last = failure;
    }
    this.#retrying = false;
  }

  #ended(batch: Batch): void {
    this.#attempts.delete(batch);
    this.#movedAt = Date.now();
  }

  async #pause(backoff: Backoff, error: unknown): Promise<void> {
    this.#pausing = true;
    await backoff.pause(error, this.#stop.signal);
    this.#pausing = false;
    this.#movedAt = Date.now();
  }

  /** One attempt, and the next at once for what is left when some records are refused. Never rejects. */
  async #attempt(batch: Batch): Promise<{ batch: Batch; error: unknown } | undefined> {
    const { writer, onAttempt } = this.#options;
    const begun = performance.now();
    this.#attempts.set(batch, Date.now());
    try {
      await writer.writeBatch(batch.records, this.#stop.signal);
    } catch (error) {
      this.#ended(batch);
      onAttempt?.('error', (performance.now() - begun) / 1000, batch);
      if (error instanceof RejectedError) return await this.#rejected(batch, error);
      if (!this.#stop.signal.aborted) this.health.failed(error, 'write');
      return { batch, error };
    }
    this.#ended(batch);
    onAttempt?.('ok', (performance.now() - begun) / 1000, batch);
    this.health.worked();
    batch.settle();
    this.#release(batch);
    return undefined;
  }

  async #rejected(
    batch: Batch,
    { rejections }: RejectedError,
  ): Promise<{ batch: Batch; error: unknown } | undefined> {
    const { writer, deadLetter } = this.#options;
    const known = new Set<unknown>(batch.records);
    const refused = rejections.filter(({ record }) => known.has(record));
    if (refused.length === 0) {
      const error = new Error(
        `Cannot tell what ${writer.name} refused: RejectedError names no record of the batch`,
      );
      this.health.failed(error, 'write');
      return { batch, error };
    }
    try {
      await deadLetter(refused, writer.name);
    } catch (error) {
      this.health.failed(
        new Error('Cannot keep a dead letter, so its batch waits', { cause: error }),
        'write',
      );
      return { batch, error };
    }
    const names = new Set<unknown>(refused.map(({ record }) => record));
    for (const record of batch.records) if (names.has(record)) record.settle('dead_lettered');
    const rest = batch.without(names);
    this.#bytes -= batch.bytes - rest.bytes;
    if (rest.records.length > 0) return await this.#attempt(rest);
    this.#release(rest);
    return undefined;
  }

  #release(batch: Batch): void {
    this.#batches--;
    this.#bytes -= batch.bytes;
    if (this.#batches === 0) this.#onIdle?.();
    if (!this.full) this.#options.onRoom();
  }
}
