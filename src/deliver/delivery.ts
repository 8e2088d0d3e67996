import type { Logger } from 'pino';
import { Batch } from '../batch/batch.ts';
import { type LogWriter, PartialWriteError, RejectedError, type Rejection } from '../writers/log-writer.ts';
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
  /** So many records more are durable. */
  readonly onStored?: (records: number) => void;
}

/** A batch, or what is left of one, that has to be tried again. */
interface Failure {
  readonly batch: Batch;
  readonly error: unknown;
  /** A part of it was written. */
  readonly progress?: true;
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
  readonly #failed: Failure[] = [];
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
      if (failure === undefined || failure.progress) backoff.reset();
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
  async #attempt(batch: Batch): Promise<Failure | undefined> {
    const { writer, onAttempt, onStored } = this.#options;
    const begun = performance.now();
    this.#attempts.set(batch, Date.now());
    try {
      await writer.writeBatch(batch.records, this.#stop.signal);
    } catch (error) {
      this.#ended(batch);
      onAttempt?.('error', (performance.now() - begun) / 1000, batch);
      if (error instanceof RejectedError) return await this.#rejected(batch, error);
      if (error instanceof PartialWriteError) return await this.#partly(batch, error);
      if (!this.#stop.signal.aborted) this.health.failed(error, 'write');
      return { batch, error };
    }
    this.#ended(batch);
    onAttempt?.('ok', (performance.now() - begun) / 1000, batch);
    this.health.worked();
    onStored?.(batch.records.length);
    batch.settle();
    this.#release(batch);
    return undefined;
  }

  async #rejected(batch: Batch, { rejections }: RejectedError): Promise<Failure | undefined> {
    const { writer } = this.#options;
    const refused = ofBatch(batch, rejections);
    if (refused.length === 0) {
      const error = new Error(
        `Cannot tell what ${writer.name} refused: RejectedError names no record of the batch`,
      );
      this.health.failed(error, 'write');
      return { batch, error };
    }
    const rest = await this.#keepLetters(batch, refused);
    if (!(rest instanceof Batch)) return rest;
    if (rest.records.length > 0) return await this.#attempt(rest);
    this.#release(rest);
    return undefined;
  }

  /** What is stored is settled first: that a dead letter cannot be kept is no reason to write it again. */
  async #partly(batch: Batch, error: PartialWriteError): Promise<Failure | undefined> {
    const { onStored } = this.#options;
    const before = batch.records.length;
    const left = this.#settlePart(batch, error.stored, 'delivered');
    const stored = before - left.records.length;
    onStored?.(stored);
    const rest = await this.#keepLetters(left, ofBatch(left, error.rejections));
    if (!(rest instanceof Batch)) return rest;
    if (rest.records.length > 0) {
      if (!this.#stop.signal.aborted) this.health.failed(error, 'write');
      return { batch: rest, error, ...(rest.records.length < before && { progress: true }) };
    }
    if (stored > 0) this.health.worked();
    this.#release(rest);
    return undefined;
  }

  /** Resolves with what is left of the batch, or with a failure where the letters could not be kept. */
  async #keepLetters(batch: Batch, refused: readonly Rejection[]): Promise<Batch | Failure> {
    if (refused.length === 0) return batch;
    const { writer, deadLetter } = this.#options;
    try {
      await deadLetter(refused, writer.name);
    } catch (error) {
      this.health.failed(
        new Error('Cannot keep a dead letter, so its batch waits', { cause: error }),
        'write',
      );
      return { batch, error };
    }
    const records = refused.map(({ record }) => record);
    return this.#settlePart(batch, records, 'dead_lettered');
  }

  #settlePart(batch: Batch, part: readonly unknown[], outcome: 'delivered' | 'dead_lettered'): Batch {
    const rest = batch.settlePart(new Set(part), outcome);
    this.#bytes -= batch.bytes - rest.bytes;
    return rest;
  }

  #release(batch: Batch): void {
    this.#batches--;
    this.#bytes -= batch.bytes;
    if (this.#batches === 0) this.#onIdle?.();
    if (!this.full) this.#options.onRoom();
  }
}

/** The rejections of records that are in the batch, each once. */
function ofBatch(batch: Batch, rejections: readonly Rejection[]): readonly Rejection[] {
  const open = new Set<unknown>(batch.records);
  return rejections.filter(({ record }) => open.delete(record));
}
