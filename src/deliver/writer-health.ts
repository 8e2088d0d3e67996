import type { Logger } from 'pino';
import { PartialWriteError } from '../writers/log-writer.ts';

/** The same failure is said again after so long while it lasts, in milliseconds. */
const REMIND_MS = 60_000;
/** The same where it worked meanwhile: what comes and goes is not said each time. */
const AGAIN_MS = 10_000;
/** So many different messages are remembered. */
const MESSAGES = 16;

/**
 * What is known of a destination: one log line when it begins to fail, one for each other reason, now and then
 * while it lasts, and one when it works again.
 */
export class WriterHealth {
  readonly #name: string;
  readonly #log: Logger;
  #tried = false;
  #failure: string | undefined;
  #writesFail = false;
  #since = 0;
  /** When each message was last said, the one said longest ago first. */
  readonly #said = new Map<string, number>();
  /** The failure that lasts was said. */
  #told = false;
  #failures = 0;
  /** When a batch was last written, in milliseconds since 1970; 0 for never. */
  workedAt = 0;
  /** When it last answered, to a batch or to a probe; the same. */
  answeredAt = 0;

  constructor(name: string, log: Logger) {
    this.#name = name;
    this.#log = log;
  }

  /** Why it does not work; undefined when it does. For /readyz. */
  get failure(): string | undefined {
    return this.#tried ? this.#failure : `the writer ${this.#name} has not been reached yet`;
  }

  /** @param of a batch that could not be written, or a probe that was not answered. */
  failed(error: unknown, of: 'write' | 'probe', now = Date.now()): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#tried = true;
    if (of === 'write') this.#writesFail = true;
    const begins = this.#failure === undefined;
    if (begins) this.#since = now;
    this.#failures++;
    this.#failure = message;
    if (now - (this.#said.get(message) ?? -Infinity) < (begins ? AGAIN_MS : REMIND_MS)) return;
    this.#remember(message, now);
    this.#told = true;
    this.#log.warn(
      { err: forLog(error), writer: this.#name, failures: this.#failures, failingForMs: now - this.#since },
      `The writer ${this.#name} fails: ${message}. Nothing is lost: it is tried until it works, and reading waits.`,
    );
  }

  /** It answers. That ends no failure to write: a store that is full answers too. */
  reachable(now = Date.now()): void {
    this.answeredAt = now;
    if (!this.#writesFail) this.#works(now);
  }

  /** A batch was written. */
  worked(now = Date.now()): void {
    this.#writesFail = false;
    this.workedAt = now;
    this.answeredAt = now;
    this.#works(now);
  }

  #works(now: number): void {
    this.#tried = true;
    if (this.#failure === undefined) return;
    if (this.#told) {
      this.#log.info(
        { writer: this.#name, failures: this.#failures, failedForMs: now - this.#since },
        `The writer ${this.#name} works again.`,
      );
      // What was not told counts on.
      this.#failures = 0;
    }
    this.#told = false;
    this.#failure = undefined;
  }

  #remember(message: string, now: number): void {
    this.#said.delete(message);
    this.#said.set(message, now);
    const [oldest] = this.#said.keys();
    if (this.#said.size > MESSAGES && oldest !== undefined) this.#said.delete(oldest);
  }
}

/** A log line has no room for the hundreds of records that such an error names; what is wrong is its cause. */
function forLog(error: unknown): unknown {
  if (!(error instanceof PartialWriteError)) return error;
  if (error.cause instanceof Error) return error.cause;
  const short = new Error(error.message);
  delete short.stack;
  return short;
}
