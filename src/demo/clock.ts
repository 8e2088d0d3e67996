/** Tells the time in nanoseconds since 1970-01-01T00:00:00Z. */
export type Clock = () => bigint;

/** The machine's time, finer than `Date` tells it; it never stands still or goes back. */
export function wallClock(): Clock {
  const offset = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();
  let last = 0n;
  return () => {
    const now = process.hrtime.bigint() + offset;
    last = now > last ? now : last + 1n;
    return last;
  };
}

/** Writes a time as Go's `time.RFC3339Nano` does: trailing zeros of the fraction are cut, and a zero fraction whole. */
export function rfc3339Nano(unixNano: bigint, utcOffsetMinutes = 0): string {
  const fraction = (unixNano % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '');
  const zone = utcOffsetMinutes === 0 ? 'Z' : numericZone(utcOffsetMinutes);
  return `${dateAndTime(unixNano, utcOffsetMinutes)}${fraction === '' ? '' : '.'}${fraction}${zone}`;
}

/** Writes a time as conmon does: always nine digits and a numeric zone. */
export function rfc3339NineDigits(unixNano: bigint, utcOffsetMinutes = 0): string {
  const fraction = (unixNano % 1_000_000_000n).toString().padStart(9, '0');
  return `${dateAndTime(unixNano, utcOffsetMinutes)}.${fraction}${numericZone(utcOffsetMinutes)}`;
}

function dateAndTime(unixNano: bigint, utcOffsetMinutes: number): string {
  const ms = Number(unixNano / 1_000_000n) + utcOffsetMinutes * 60_000;
  return new Date(ms).toISOString().slice(0, 19);
}

function numericZone(utcOffsetMinutes: number): string {
  const minutes = Math.abs(utcOffsetMinutes);
  const hours = Math.floor(minutes / 60);
  return `${utcOffsetMinutes < 0 ? '-' : '+'}${twoDigits(hours)}:${twoDigits(minutes % 60)}`;
}

function twoDigits(n: number): string {
  return String(n).padStart(2, '0');
}
