import { setTimeout as sleep } from 'node:timers/promises';

export interface Backoff {
  /** Longest pause after the first failure, in milliseconds; it doubles with each further one. */
  readonly firstMs: number;
  /** Longest pause of all, in milliseconds. */
  readonly ceilingMs: number;
}

/**
 * The pause before the next try, in milliseconds: anywhere between nothing and a bound that doubles
 * («full jitter»), so that many agents that failed together do not come back together.
 *
 * @param failures how often it has failed in a row, at least 1.
 * @param random gives numbers from 0 to below 1.
 */
export function fullJitterMs(
  failures: number,
  { firstMs, ceilingMs }: Backoff,
  random: () => number,
): number {
  return random() * Math.min(ceilingMs, firstMs * 2 ** (failures - 1));
}

/** Waits so many milliseconds, or less when the signal aborts; it never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
