/** How much later one time is than another, for people: `+0.4 ms`, `+12 ms`, `+1.23 s`, `+2 m 05 s`, `+3 h 04 m`. */
export function relativeTime(unixNano: string, since: string): string {
  const ns = BigInt(unixNano) - BigInt(since);
  return `${ns < 0n ? '−' : '+'}${duration(Number(ns < 0n ? -ns : ns) / 1e6)}`;
}

function duration(ms: number): string {
  if (ms < 9.95) return `${trimmed(ms, 1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_995) return `${trimmed(ms / 1_000, 2)} s`;
  const seconds = Math.round(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m ${padded(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${padded(minutes % 60)} m`;
}

function trimmed(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}

function padded(value: number): string {
  return String(value).padStart(2, '0');
}
