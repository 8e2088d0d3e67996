const unitsMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;

/**
 * Reads a duration as Go writes it: `300ms`, `5s`, `1h30m`, `1.5h`, and `0` without a unit
 * (https://pkg.go.dev/time#ParseDuration). A sign is refused: no wait of ours is negative.
 *
 * @returns milliseconds, possibly with a fraction; undefined where the text is no duration.
 */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  let total = 0;
  part.lastIndex = 0;
  do {
    const match = part.exec(text);
    if (match === null) return undefined;
    total += Number(match[1]) * (unitsMs[match[2] ?? ''] ?? Number.NaN);
    // A failed match resets lastIndex, hence the look at it only after a match.
  } while (part.lastIndex < text.length);
  return Math.round(total * 1e6) / 1e6;
}

/**
 * Writes milliseconds in the shortest form that `parseDuration` reads: `5s`, `1h30m`, `48h`, `1.5s`.
 *
 * @param ms at least 0; what is finer than a microsecond is rounded.
 */
export function formatDuration(ms: number): string {
  const micros = Math.round(ms * 1000);
  if (micros === 0) return '0s';
  if (micros < 1000) return `${micros}us`;
  if (micros < 1_000_000) return `${micros / 1000}ms`;
  const hours = Math.floor(micros / 3_600_000_000);
  const minutes = Math.floor((micros % 3_600_000_000) / 60_000_000);
  const seconds = (micros % 60_000_000) / 1_000_000;
  return `${hours > 0 ? `${hours}h` : ''}${minutes > 0 ? `${minutes}m` : ''}${seconds > 0 ? `${seconds}s` : ''}`;
}
