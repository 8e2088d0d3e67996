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

/** What records keep beyond twice their bytes before they are given memory of their own: one piece of a file. */
const SPARE_BYTES = 64 * 1024;

/** Gathers records of all tails into batches: closed by count, by bytes, or by the age of their first record. */
export class Batcher {
  readonly #limits: BatchLimits;
  readonly #onBatch: (batch: Batch) => void;
  #records: TrackedRecord[] = [];
  #bytes = 0;
  /** The piece of a file that the last record is in, and the bytes of those before it that the batch keeps. */
  #piece: Buffer | undefined;
  #held = 0;
  /** So many of the batch's records have memory of their own. */
  #detached = 0;
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
    // Of a file with few records in it each would keep a whole piece: they are copied then, and only then.
    if (record.piece !== this.#piece) this.#hold(record.piece);
    if (this.#records.length >= this.#limits.records) this.flush();
  }

  /** Closes the batch as it is. */
  flush(): void {
    if (this.#records.length === 0) return;
    const batch = new Batch(this.#records, this.#bytes);
    this.#records = [];
    this.#bytes = 0;
    this.#held = 0;
    this.#detached = 0;
    this.#onBatch(batch);
  }

  #hold(piece: Buffer | undefined): void {
    this.#held += this.#piece?.length ?? 0;
    this.#piece = piece;
    if (this.#held <= 2 * this.#bytes + SPARE_BYTES) return;
    // But for the last one, whose piece may be full of others.
    for (; this.#detached < this.#records.length - 1; this.#detached++)
      this.#records[this.#detached]?.detach();
    this.#held = 0;
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
