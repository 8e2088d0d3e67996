const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;
const DAYS_IN_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** A time since 1970-01-01T00:00:00Z. In one number nanoseconds would exceed what it holds. */
export interface UnixTime {
  /** Whole ones, at least 0. */
  readonly seconds: number;
  /** 0 to 999,999,999. */
  readonly nanos: number;
}

/** The nanoseconds in decimal digits, without leading zeros. */
export function unixNano({ seconds, nanos }: UnixTime): string {
  return seconds === 0 ? String(nanos) : `${seconds}${String(nanos).padStart(9, '0')}`;
}

/**
 * An RFC 3339 time with a zone. Digits of the fraction beyond the ninth are cut off.
 *
 * @returns undefined for what is no such time, is before 1970, or does not exist (30 February, 24:00, the
 *   second :60, which Go refuses too).
 */
export function parseTime(time: string): UnixTime | undefined {
  const match = RFC3339.exec(time);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', sign, zoneHour = '0', zoneMinute = '0'] =
    match;
  if (!inRange(month, 1, 12) || !inRange(day, 1, DAYS_IN_MONTH[Number(month) - 1]!)) return undefined;
  if (!inRange(hour, 0, 23) || !inRange(minute, 0, 59) || !inRange(second, 0, 59)) return undefined;
  if (!inRange(zoneHour, 0, 23) || !inRange(zoneMinute, 0, 59)) return undefined;
  const midnight = Date.UTC(Number(year), Number(month) - 1, Number(day));
  // Only 29 February of a year without one is left: it rolls over to March.
  if (Number(year) < 100 || new Date(midnight).getUTCDate() !== Number(day)) return undefined;
  const zone = (sign === '-' ? -1 : 1) * (Number(zoneHour) * 3600 + Number(zoneMinute) * 60);
  const seconds = midnight / 1000 + Number(hour) * 3600 + Number(minute) * 60 + Number(second) - zone;
  if (seconds < 0) return undefined;
  return { seconds, nanos: Number(fraction.slice(0, 9).padEnd(9, '0')) };
}

function inRange(digits: string | undefined, least: number, most: number): boolean {
  const value = Number(digits);
  return value >= least && value <= most;
}
