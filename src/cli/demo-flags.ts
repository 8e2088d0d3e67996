import { ConfigError } from '../util/config-error.ts';
import { parseDuration } from '../util/duration.ts';

/** How `frostbeat demo` runs. */
export interface DemoOptions {
  /** End when one trace is shown and everything is verified, instead of at Ctrl-C. */
  readonly once: boolean;
  /** As `once`, after so many milliseconds of traffic. */
  readonly forMs: number | undefined;
  /** The same seed tells the same stories; undefined: others each time. */
  readonly seed: number | undefined;
}

/** The flags as they were given. */
export interface DemoFlags {
  readonly once?: boolean;
  readonly for?: string;
  readonly seed?: string;
}

/** @throws ConfigError that lists these mistakes and those found here. */
export function demoOptions(flags: DemoFlags, mistakes: readonly string[]): DemoOptions {
  const forMs = flags.for === undefined ? undefined : parseDuration(flags.for);
  const seed = flags.seed === undefined ? undefined : Number(flags.seed);
  const wrong = [...mistakes];
  if (flags.for !== undefined && (forMs === undefined || forMs > 86_400_000)) {
    wrong.push(`--for is "${flags.for}": it must be a duration of at most 24h, for example 10s`);
  }
  if (seed !== undefined && !(Number.isSafeInteger(seed) && seed >= 0)) {
    wrong.push(`--seed is "${flags.seed}": it must be a whole number, 0 or more`);
  }
  if (wrong.length > 0) throw new ConfigError(wrong);
  return { once: flags.once === true, forMs, seed };
}
