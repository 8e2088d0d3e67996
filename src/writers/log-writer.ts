import type { LogRecord, RecordSource } from '../record/log-record.ts';

export type { LogRecord, RecordSource };

/**
 * A destination for records: the public contract of Frostbeat's writers.
 *
 * A writer sees plain records and never offsets, so it cannot break the guarantee: what it has not
 * confirmed is written again, after a restart too. It should therefore write a record of the same `id`
 * to the same place, so that writing it twice leaves it there once.
 */
export interface LogWriter {
  /** Names the writer in logs and metrics: lower case, unique among the writers in use. */
  readonly name: string;

  /** What a batch for this destination should be; without it BATCH_SIZE, BATCH_PERIOD and a limit of 1 MiB hold. */
  readonly batch?: BatchPreference;

  /**
   * Called once before the first batch. It may throw to say that the configuration cannot work; a
   * destination that is merely not reachable yet is no reason to: the batches are tried until it is.
   */
  open?(signal: AbortSignal): Promise<void>;

  /**
   * Whether the destination can be reached and used, asked now and then for /readyz; cheap, and it changes
   * nothing. Without it only what `open` and `writeBatch` say counts.
   *
   * @throws with the reason why not.
   */
  check?(signal: AbortSignal): Promise<void>;

  /**
   * Writes the records and resolves when every one of them is durable. Several calls may be under way at
   * once. `records` is never empty and must not be changed.
   *
   * @throws RejectedError names records that must never be tried again; the others of the batch are then
   *   tried again at once, without them.
   * @throws PartialWriteError names records that are durable, and such that must never be tried again; the
   *   others of the batch are tried again after a pause, without them.
   * @throws RetryAfterError the destination's own word on when to try the whole batch again.
   * @throws anything else: the whole batch is tried again, after a growing pause, for ever.
   */
  writeBatch(records: readonly LogRecord[], signal: AbortSignal): Promise<void>;

  /** Called once, after the last batch, at a clean stop. */
  close?(): Promise<void>;
}

/**
 * The batch that a destination is best at. Each limit may ask for more than the settings say, never for less than
 * BATCH_SIZE and BATCH_PERIOD; every writer's batches are made by themselves. Twice `bytes` (at least 1 MiB) may
 * wait for the writer before reading stops.
 */
export interface BatchPreference {
  /** Most records in a batch, at least 1. */
  readonly records: number;
  /** Most bytes of record values in a batch, at least 1; one record may exceed it alone. */
  readonly bytes: number;
  /**
   * Longest a record waits for its batch to be full, in milliseconds, at least 1; without it BATCH_PERIOD holds. The
   * offsets of what waits are not saved: a crash has so much more to read again.
   */
  readonly periodMs?: number;
}

/** One record that a destination refuses for good, and why. */
export interface Rejection {
  readonly record: LogRecord;
  readonly reason: string;
}

/** Thrown by `writeBatch`: these records can never be written; they go to the dead letters. */
export class RejectedError extends Error {
  override readonly name = 'RejectedError';
  readonly rejections: readonly Rejection[];

  /** @param rejections at least one; records that are not named are tried again. */
  constructor(rejections: readonly Rejection[], options?: ErrorOptions) {
    super(
      `Cannot write ${rejections.length} records: ${rejections[0]?.reason ?? 'no reason given'}`,
      options,
    );
    this.rejections = rejections;
  }
}

/** What became of a batch of which only a part was written. */
export interface PartialWrite {
  /** Records that are durable. */
  readonly stored: readonly LogRecord[];
  /** Records that can never be written. Default: none. */
  readonly rejections?: readonly Rejection[];
  /** Milliseconds to wait before the others are tried again, where the destination asks for it; at least 0. */
  readonly delayMs?: number;
}

/**
 * Thrown by `writeBatch`: a part of the batch is durable. Whatever is named neither stored nor rejected is tried
 * again, so a record that is forgotten here is written twice at worst, and never lost.
 */
export class PartialWriteError extends Error {
  override readonly name = 'PartialWriteError';
  readonly stored: readonly LogRecord[];
  readonly rejections: readonly Rejection[];
  readonly delayMs: number | undefined;

  /** @param message says why the others were not written. */
  constructor(message: string, { stored, rejections = [], delayMs }: PartialWrite, options?: ErrorOptions) {
    super(message, options);
    this.stored = stored;
    this.rejections = rejections;
    this.delayMs = delayMs;
  }
}

/** Thrown by `writeBatch`: try the batch again, and not before the time the destination asked for. */
export class RetryAfterError extends Error {
  override readonly name = 'RetryAfterError';
  /** Milliseconds to wait, at least 0. */
  readonly delayMs: number;

  constructor(message: string, delayMs: number, options?: ErrorOptions) {
    super(message, options);
    this.delayMs = delayMs;
  }
}

/** What a module named in WRITERS is given: the environment, with the agent's flags laid over it by variable. */
export type WriterOptions = Readonly<Record<string, string | undefined>>;

/** Where a writer says what an operator should know; the members of `details` become members of the log line. */
export interface WriterLogger {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** The default export of a module named in WRITERS. What it throws ends the start, as a mistake of the configuration. */
export type CreateWriter = (options: WriterOptions, logger: WriterLogger) => LogWriter | Promise<LogWriter>;
