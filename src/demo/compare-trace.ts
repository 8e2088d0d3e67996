import type { WrittenTrace } from './written-traces.ts';

/** A record as the store gives it back. */
export interface StoredLine {
  readonly unixNano: string;
  /** The JSON text, with or without the member `kubernetes` at its end. */
  readonly json: string;
}

/** How a stored trace differs from what was written, in numbers of records; all 0 where it does not. */
export interface Difference {
  readonly lost: number;
  readonly twice: number;
  /** Nobody wrote them so: altered, or under another time. */
  readonly foreign: number;
  /** Read back before a record of an earlier time. */
  readonly outOfOrder: number;
}

export function compareTrace({ records }: WrittenTrace, stored: readonly StoredLine[]): Difference {
  const times = new Map<string, number>();
  for (const { unixNano, json } of stored) {
    const key = `${unixNano} ${splitPlace(json).json}`;
    times.set(key, (times.get(key) ?? 0) + 1);
  }
  const written = new Set(records.map(({ unixNano, json }) => `${unixNano} ${json}`));
  const foreign = [...times.keys()].filter((key) => !written.has(key));
  return {
    lost: [...written].filter((key) => !times.has(key)).length,
    twice: [...times.values()].filter((count) => count > 1).length,
    foreign: foreign.length,
    outOfOrder: stored.filter(({ unixNano }, i) => BigInt(unixNano) < BigInt(stored[i - 1]?.unixNano ?? 0))
      .length,
  };
}

export function isSame({ lost, twice, foreign, outOfOrder }: Difference): boolean {
  return lost + twice + foreign + outOfOrder === 0;
}

/** What the agent says of where a record came from. */
export interface Place {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly node: string;
}

/** The record as it was printed, and the member that the agent added at its end. */
export function splitPlace(json: string): { json: string; place: Partial<Place> | undefined } {
  const added = /,"kubernetes":(\{[^{}]*\})\}$/.exec(json);
  if (added?.[1] === undefined) return { json, place: undefined };
  return { json: `${json.slice(0, added.index)}}`, place: JSON.parse(added[1]) as Partial<Place> };
}
