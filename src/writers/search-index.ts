/** `{date}` in the name of an index stands for the day of a record, in UTC. */
const DATE = '{date}';

/** Where a record of this time goes: a dated index, or the data stream. */
export function indexOf(pattern: string, unixNano: string): string {
  if (!pattern.includes(DATE)) return pattern;
  const ms = Number(unixNano.slice(0, -6));
  const time = new Date(ms);
  // Beyond the year 275760 there is no such date; nothing takes a record of that time anyway.
  const day = Number.isNaN(time.getTime()) ? '9999-12-31' : time.toISOString().slice(0, -14);
  return pattern.replaceAll(DATE, day.replaceAll('-', '.'));
}

/** All indices of a pattern, as searches name them. */
export function indicesOf(pattern: string): string {
  return pattern.replaceAll(DATE, '*');
}

/** Whether records go to a data stream, and not to an index a day. */
export function isDataStream(pattern: string): boolean {
  return !pattern.includes(DATE);
}
