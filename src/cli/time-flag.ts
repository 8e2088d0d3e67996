import { parseDuration } from '../util/duration.ts';

/**
 * A time as a person gives it: a duration back from now (`15m`), or a time of RFC 3339, whose zone is UTC where none is
 * given (`2026-11-24T10:00:00Z`, `2026-11-24 10:00`, `2026-11-24`).
 *
 * @returns unix nanoseconds as decimal digits; undefined where it is neither.
 */
export function parseTime(text: string, nowMs: number): string | undefined {
  const back = parseDuration(text);
  if (back !== undefined) return String(BigInt(Math.max(0, Math.round(nowMs - back))) * 1_000_000n);
  const parts = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?)?$/i.exec(
    text,
  );
  if (parts === null) return undefined;
  const [, day = '', minutes = '00:00', seconds = '00', fraction = '', zone = 'Z'] = parts;
  const ms = Date.parse(`${day}T${minutes}:${seconds}${zone.toUpperCase()}`);
  // Some days that are none roll over silently.
  const isDay = !Number.isNaN(ms) && new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
  if (!isDay || ms < 0) return undefined;
  return String(BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0')));
}
