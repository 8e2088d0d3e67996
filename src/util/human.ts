/** Bytes for people: `0 B`, `812 B`, `1.4 kB`, `23 MB`. */
export function humanBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value >= 10 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** A span of time for people, in its two largest units: `3 s`, `2 min 5 s`, `4 h 10 min`, `3 d 2 h`. */
export function humanSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const parts = [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'min'],
    [1, 's'],
  ] as const;
  const first = parts.findIndex(([size]) => whole >= size);
  const [size, unit] = parts[first]!;
  const next = parts[first + 1];
  const rest = next === undefined ? 0 : Math.floor((whole % size) / next[0]);
  return `${Math.floor(whole / size)} ${unit}${rest === 0 ? '' : ` ${rest} ${next?.[1]}`}`;
}

/** A number for people: `12,345`. */
export function humanCount(count: number): string {
  return count.toLocaleString('en-US');
}
