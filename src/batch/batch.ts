import type { TrackedRecord } from '../record/agent-record.ts';

/** Records that are written together. */
export class Batch {
  readonly #records: TrackedRecord[];
  /** Bytes of the records' values. */
  readonly bytes: number;

  /** @param records of this batch alone: they are let go when it is settled. */
  constructor(records: TrackedRecord[], bytes: number) {
    this.#records = records;
    this.bytes = bytes;
  }

  /** None once it is settled. */
  get records(): readonly TrackedRecord[] {
    return this.#records;
  }

  /** Every record is durable at the batch's destination: the whole way back is this call. */
  settle(): void {
    for (const record of this.#records) record.settle('delivered');
    // What V8's collector has taken for old keeps alive all that it leads to, and makes it old too, until the old
    // ones are collected: of a backlog every record grew old so, for a third of the agent's CPU time.
    this.#records.length = 0;
  }

  /** Settles some of the records and gives the batch of the others; itself has none then. */
  settlePart(part: ReadonlySet<unknown>, outcome: 'delivered' | 'dead_lettered'): Batch {
    const rest: TrackedRecord[] = [];
    let bytes = 0;
    for (const record of this.#records) {
      if (part.has(record)) record.settle(outcome);
      else {
        rest.push(record);
        bytes += record.byteLength;
      }
    }
    this.#records.length = 0;
    return new Batch(rest, bytes);
  }
}
