/** Where a record stands in the order of its trace: by time, those of one nanosecond by identity. */
export interface Position {
  /** Nanoseconds since 1970-01-01T00:00:00Z, as decimal digits without leading zeros. */
  readonly unixNano: string;
  /** The record's identity in its destination: etcd's `<recordId>`; its place in the file, as sixteen digits. */
  readonly id: string;
}

/** A record of a trace, as a destination gives it back. */
export interface StoredRecord extends Position {
  /** The record's JSON, byte for byte as it was stored. */
  readonly bytes: Buffer;
}

/** Orders times given as decimal digits, for `sort`. */
export function compareUnixNano(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : Number(a > b);
}

/** Orders records within their trace, for `sort`. */
export function comparePositions(a: Position, b: Position): number {
  return compareUnixNano(a.unixNano, b.unixNano) || (a.id < b.id ? -1 : Number(a.id > b.id));
}
