import type { TrackedRecord } from '../record/agent-record.ts';
import { Batch } from './batch.ts';

export interface BatchLimits {
  /** Most records in a batch. */
  readonly records: number;
  /** Most bytes of values in a batch; one record may exceed it alone. */
  readonly bytes: number;
  /** Longest a record waits for its batch to be closed, in milliseconds. */
  readonly periodMs: number;
}

/** Gathers records of all tails into batches: closed by count, by bytes, or by the age of their first record. */
export class Batcher {
  readonly #limits: BatchLimits;
  readonly #onBatch: (batch: Batch) => void;
  #records: TrackedRecord[] = [];
  #bytes = 0;
  /** When the oldest record of the batch must have gone, in milliseconds of `performance.now()`. */
  #due = 0;
  /** A timer runs, for the batch at hand or for one that was closed before its time: one for each would cost. */
  #timed = false;

  constructor(limits: BatchLimits, onBatch: (batch: Batch) => void) {
    this.#limits = limits;
    this.#onBatch = onBatch;
  }

  add(record: TrackedRecord): void {
    if (this.#bytes + record.byteLength > this.#limits.bytes) this.flush();
    if (this.#records.length === 0) this.#begin();
    this.#records.push(record);
    this.#bytes += record.byteLength;
    if (this.#records.length >= this.#limits.records) this.flush();
  }

  /** Closes the batch as it is. */
  flush(): void {
    if (this.#records.length === 0) return;
    const batch = new Batch(this.#records, this.#bytes);
    this.#records = [];
    this.#bytes = 0;
    this.#onBatch(batch);
  }

  #begin(): void {
    this.#due = performance.now() + this.#limits.periodMs;
    if (!this.#timed) this.#wake(this.#limits.periodMs);
  }

  #wake(delayMs: number): void {
    this.#timed = true;
    setTimeout(() => {
      this.#timed = false;
      if (this.#records.length === 0) return;
      const left = this.#due - performance.now();
      // A timer may come a fraction of a millisecond early.
      if (left < 1) this.flush();
      else this.#wake(left);
    }, delayMs);
  }
}
