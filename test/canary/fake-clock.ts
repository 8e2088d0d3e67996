import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../src/canary/clock.ts';

/** A clock that goes on only when it is told to. */
export class FakeClock implements Clock {
  #now = Date.parse('2026-11-24T03:00:00.000Z');
  readonly #waiting = new Set<{ readonly until: number; readonly wake: () => void }>();

  wall(): number {
    return this.#now;
  }

  steady(): number {
    return this.#now;
  }

  async pause(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || ms <= 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => resolve();
    const waiter = { until: this.#now + ms, wake };
    this.#waiting.add(waiter);
    signal.addEventListener('abort', wake, { once: true });
    await promise;
    signal.removeEventListener('abort', wake);
    this.#waiting.delete(waiter);
  }

  /** Goes on by so many milliseconds, a second at a time at most, and lets happen what happens then. */
  async advance(ms: number): Promise<void> {
    await settle();
    for (const end = this.#now + ms; this.#now < end;) {
      this.#now = Math.min(end, this.#now + 1_000);
      for (const { until, wake } of this.#waiting) if (until <= this.#now) wake();
      await settle();
    }
  }
}

/** All that needs no time happens. */
async function settle(): Promise<void> {
  for (let n = 0; n < 5; n++) await turn();
}
