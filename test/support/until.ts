import { setTimeout as sleep } from 'node:timers/promises';

export interface UntilOptions {
  /** Give up after this long, in milliseconds. Default 5,000. */
  readonly timeoutMs?: number;
  /** What is waited for, for the error. */
  readonly what: string;
}

/** Waits until the condition holds and returns its (truthy) value; throws when that takes too long. */
export async function until<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 5_000, what }: UntilOptions,
): Promise<NonNullable<T>> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > end) throw new Error(`Cannot see ${what}: ${timeoutMs} ms are over`);
    await sleep(10);
  }
}
