/** A record of a trace, as a destination gives it back. */
export interface StoredRecord {
  /** Nanoseconds since 1970-01-01T00:00:00Z, as decimal digits without leading zeros. */
  readonly unixNano: string;
  /** The record's identity; empty where the destination does not keep it. */
  readonly id: string;
  /** The record's JSON, byte for byte as it was stored. */
  readonly bytes: Buffer;
}

/** Gives back what a destination holds of a trace. */
export interface TraceReader {
  /** What is read, for messages: `etcd (http://…)`. */
  readonly name: string;

  /**
   * The records of one trace by time, those of one nanosecond by identity (or else in the order in which they
   * were stored); none where the trace is not known. Memory does not grow with the values. What is stored
   * meanwhile may be there or not.
   *
   * @throws Error that says what cannot be read, or the signal's reason.
   */
  read(traceId: string, signal: AbortSignal): AsyncIterable<StoredRecord>;

  close(): Promise<void>;
}

/** Orders times given as decimal digits, for `sort`. */
export function compareUnixNano(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : Number(a > b);
}
