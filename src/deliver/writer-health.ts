import type { Logger } from 'pino';

/** While a destination fails in the same way, it is said again after so long, in milliseconds. */
const REMIND_MS = 60_000;

/**
 * What is known of a destination: one log line when it begins to fail, when the reason changes, now and then
 * while it lasts, and when it works again.
 */
export class WriterHealth {
  readonly #name: string;
  readonly #log: Logger;
  #tried = false;
  #failure: string | undefined;
  #writesFail = false;
  #since = 0;
  #saidAt = 0;
  #failures = 0;

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
    if (this.#failure === undefined) this.#since = now;
    this.#failures++;
    const said = message === this.#failure && now - this.#saidAt < REMIND_MS;
    this.#failure = message;
    if (said) return;
    this.#saidAt = now;
    this.#log.warn(
      { err: error, writer: this.#name, failures: this.#failures, failingForMs: now - this.#since },
      `The writer ${this.#name} fails: ${message}. Nothing is lost: it is tried until it works, and reading waits.`,
    );
  }

  /** It answers. That ends no failure to write: a store that is full answers too. */
  reachable(now = Date.now()): void {
    if (!this.#writesFail) this.#works(now);
  }

  /** A batch was written. */
  worked(now = Date.now()): void {
    this.#writesFail = false;
    this.#works(now);
  }

  #works(now: number): void {
    this.#tried = true;
    if (this.#failure === undefined) return;
    this.#log.info(
      { writer: this.#name, failures: this.#failures, failedForMs: now - this.#since },
      `The writer ${this.#name} works again.`,
    );
    this.#failure = undefined;
    this.#failures = 0;
  }
}
