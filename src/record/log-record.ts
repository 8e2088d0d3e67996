/** Where a record came from. */
export interface RecordSource {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** Empty where the node has no name (POD_SOURCE=directory without NODE_NAME). */
  readonly node: string;
}

/**
 * One record that a container wrote: a JSON object with a trace ID and a time. This is what writers see.
 */
export interface LogRecord {
  /**
   * The record's stable identity, `<fileId>-<offset>`: 16 hexadecimal digits of the file's identity, then 12
   * of the offset (in bytes) at which the record begins. Reading the same file again, under whatever name,
   * gives the same.
   */
  readonly id: string;
  /** The member `traceId`; never empty, any Unicode text, possibly hostile. */
  readonly traceId: string;
  /** The member `time` in nanoseconds since 1970-01-01T00:00:00Z, as decimal digits. */
  readonly unixNano: string;
  readonly source: RecordSource;
  /**
   * The record's JSON text, one character (U+0000 to U+00FF) for each byte of its UTF-8 form, so that bytes
   * which are no valid UTF-8 survive: `Buffer.from(record.latin1, 'latin1')` gives the bytes as the container
   * wrote them, with the member `kubernetes` added at the end where KUBERNETES_METADATA asks for it.
   */
  readonly latin1: string;
  /** The bytes of `latin1`, made anew at each call. */
  toBytes(): Buffer;
  /**
   * Copies the same bytes to where they are wanted, without making anything on the way.
   *
   * @param at where in `target`; it must have room for `byteLength` bytes from there.
   * @returns the place behind them.
   */
  copyTo(target: Buffer, at: number): number;
  /** Length of the record in bytes. */
  readonly byteLength: number;
}

/**
 * A record whose small parts are there as bytes: the agent's own. Who writes a line of each saves making texts of
 * them. What copies returns the place behind it, as `copyTo` does.
 */
export interface RecordInBytes extends LogRecord {
  /** The parts of `id`: 16 hexadecimal digits, and the offset in bytes. */
  readonly fileId: string;
  readonly offset: number;
  /** The parts of `unixNano`: seconds since 1970, and nanoseconds of the last one. */
  readonly seconds: number;
  readonly nanos: number;
  /** The record's last bytes, where they are the same for all records of a container; may be empty. */
  readonly suffix: Buffer;
  /** Copies the record's bytes before `suffix`. */
  copyOwnTo(target: Buffer, at: number): number;
  /** Copies `unixNano`, 21 bytes at most. */
  copyUnixNanoTo(target: Buffer, at: number): number;
  /** Copies `id`, 29 bytes. */
  copyIdTo(target: Buffer, at: number): number;
  /** Most bytes that `copyTraceIdTo` copies. */
  readonly traceIdLength: number;
  /**
   * Copies `traceId` as it stands between the quotation marks of a JSON text.
   *
   * @returns -1 where it is not of plain ASCII, or not at hand as bytes: then `traceId` has to be asked for.
   */
  copyTraceIdTo(target: Buffer, at: number): number;
}
