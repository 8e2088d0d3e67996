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
  #since: number | undefined;
  #failures = 0;
  #said = { message: '', at: 0 };

  constructor(name: string, log: Logger) {
    this.#name = name;
    this.#log = log;
  }

  /** Why it does not work; undefined when it does. For /readyz. */
  get failure(): string | undefined {
    return this.#since === undefined ? undefined : this.#said.message;
  }

  failed(error: unknown, now = Date.now()): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#since ??= now;
    this.#failures++;
    if (message === this.#said.message && now - this.#said.at < REMIND_MS) return;
    this.#said = { message, at: now };
    this.#log.warn(
      { err: error, writer: this.#name, failures: this.#failures, failingForMs: now - this.#since },
      `The writer ${this.#name} fails: ${message}. Nothing is lost: it is tried until it works, and reading waits meanwhile.`,
    );
  }

  worked(now = Date.now()): void {
    if (this.#since === undefined) return;
    this.#log.info(
      { writer: this.#name, failures: this.#failures, failedForMs: now - this.#since },
      `The writer ${this.#name} works again.`,
    );
    this.#since = undefined;
    this.#failures = 0;
    this.#said = { message: '', at: 0 };
  }
}
