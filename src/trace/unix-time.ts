const nsPerSecond = 1_000_000_000n;

/** A time of RFC 3339 in nanoseconds since 1970, all nine digits of it. @throws where it is none. */
export function nanoOf(time: string): bigint {
  const [, seconds = '', fraction = '', zone = ''] = /^(.{19})(?:\.(\d{1,9})\d*)?(.*)$/.exec(time) ?? [];
  const ms = Date.parse(seconds + zone);
  if (Number.isNaN(ms)) throw new Error(`Cannot read a time: «${time}» is none`);
  return (BigInt(ms) / 1_000n) * nsPerSecond + BigInt(fraction.padEnd(9, '0'));
}

/** RFC 3339 in UTC to the millisecond; the digits where no date can say it. */
export function timeOf(unixNano: string | bigint): string {
  const date = new Date(Number(BigInt(unixNano) / 1_000_000n));
  return Number.isNaN(date.getTime()) ? String(unixNano) : date.toISOString();
}
