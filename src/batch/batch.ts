import type { TrackedRecord } from '../record/agent-record.ts';

/** Records that are written together. */
export class Batch {
  readonly records: readonly TrackedRecord[];
  /** Bytes of the records' values. */
  readonly bytes: number;

  constructor(records: readonly TrackedRecord[], bytes: number) {
    this.records = records;
    this.bytes = bytes;
  }

  /** Every record is durable at the batch's destination: the whole way back is this call. */
  settle(): void {
    for (const record of this.records) record.settle('delivered');
  }

  /** What is left of the batch when some of its records have gone to the dead letters. */
  without(records: ReadonlySet<unknown>): Batch {
    const rest = this.records.filter((record) => !records.has(record));
    return new Batch(
      rest,
      rest.reduce((sum, { byteLength }) => sum + byteLength, 0),
    );
  }
}
