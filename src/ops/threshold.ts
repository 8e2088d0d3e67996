import pino from 'pino';

export type LogLevel = pino.LevelWithSilent;

/** Which lines of the log are written. It may change while the agent runs, for all children of the log at once. */
export class Threshold {
  readonly #usual: LogLevel;
  #level: LogLevel;

  constructor(level: LogLevel) {
    this.#usual = level;
    this.#level = level;
  }

  get level(): LogLevel {
    return this.#level;
  }

  /** @param value pino's number of a level. */
  passes(value: number): boolean {
    return value >= (pino.levels.values[this.#level] ?? Infinity);
  }

  /** One level more is told than usual, debug at least. */
  raise(): void {
    this.#level = this.#usual === 'debug' || this.#usual === 'trace' ? 'trace' : 'debug';
  }

  restore(): void {
    this.#level = this.#usual;
  }
}
