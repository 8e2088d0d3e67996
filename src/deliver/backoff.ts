import { ExponentialBackoff, fullJitterGenerator, type IBackoff } from 'cockatiel';
import { pause } from '../util/pause.ts';
import { PartialWriteError, RetryAfterError } from '../writers/log-writer.ts';

/** Full jitter (AWS Architecture Blog, «Exponential Backoff And Jitter»): from 0 up to a ceiling that doubles. */
const exponential = new ExponentialBackoff({
  initialDelay: 100,
  maxDelay: 5_000,
  generator: fullJitterGenerator,
});

/** Pauses between failed attempts: growing to 5 s at most, with full jitter; the server's own word counts more. */
export class Backoff {
  #step: IBackoff<unknown> | undefined;

  /** The pause after one more failure. It ends early, without an error, when the signal aborts. */
  async pause(error: unknown, signal: AbortSignal): Promise<void> {
    this.#step = this.#step === undefined ? exponential.next() : this.#step.next(undefined);
    await pause(askedFor(error) ?? this.#step.duration, signal);
  }

  /** It works again: the next failure begins with a short pause. */
  reset(): void {
    this.#step = undefined;
  }
}

function askedFor(error: unknown): number | undefined {
  return error instanceof RetryAfterError || error instanceof PartialWriteError ? error.delayMs : undefined;
}
