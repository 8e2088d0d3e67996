import type { Readable } from 'node:stream';

/** A bucket of a store of objects. */
export interface ObjectStore {
  /** For messages: `s3://bucket`. */
  readonly name: string;

  /**
   * Stores an object and resolves when it is durable; one of the name is replaced.
   *
   * @throws RetryAfterError where the store asks for a pause; Error that says what an operator can do about it.
   */
  put(name: string, bytes: Buffer, signal: AbortSignal): Promise<void>;

  /**
   * Tries whether an object of that name may be written, by a write on a condition that never holds.
   *
   * @param bytes what is there, or nobody reads: a server that does not know conditions stores them.
   * @returns undefined where it cannot be told. @throws where the store does not answer.
   */
  mayPut(name: string, bytes: Buffer, signal: AbortSignal): Promise<boolean | undefined>;

  /** Asks whether the bucket is there and may be used; changes nothing. @throws Error that says why not. */
  check(signal: AbortSignal): Promise<void>;

  /** The names that begin with a prefix, ascending. */
  list(prefix: string, signal: AbortSignal): AsyncIterable<string>;

  /** An object's bytes, as they are stored. */
  read(name: string, signal: AbortSignal): Promise<Readable>;

  /** A small object's bytes, as they are stored; undefined where there is none, or it may not be read. */
  find(name: string, signal: AbortSignal): Promise<Buffer | undefined>;

  close(): void;
}
