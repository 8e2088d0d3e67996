import type { LogRecord } from '../record/log-record.ts';
import { decodePercent } from '../util/decode-percent.ts';
import { IdentityDigest } from './identity-digest.ts';
import { isInBytes } from './is-in-bytes.ts';

/** In a name, in place of a node that has none. */
const NO_NODE = '_';
const hourNanos = 3_600_000_000_000n;

/** The records of one object, all of one hour, and its name. */
export interface NamedRecords {
  readonly name: string;
  readonly records: readonly LogRecord[];
}

/** The times of the first and last record of an object, in nanoseconds since 1970. */
export interface ObjectSpan {
  readonly first: bigint;
  readonly last: bigint;
}

/** What the name of an object tells. */
export interface NamedObject extends ObjectSpan {
  /** Empty where it had no name. */
  readonly node: string;
}

/**
 * Names of objects: `<prefix><YYYY-MM-DD>/<HH>/<node>/<first>-<last>-<id>-<id>-<hash>.ndjson.gz`, with the hour of
 * its records, the times of its first and last, the least and greatest identity in it, and the hash of them all. The
 * same records have the same name, in whatever order they come.
 */
export class ObjectNames {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** The objects of a batch, one for each hour: a reader of some hours looks at no others. */
  of(records: readonly LogRecord[]): NamedRecords[] {
    const ends = endsOf(records);
    // As a rule all are of one hour, and there is no need to ask each.
    if (hourOf(ends.first) === hourOf(ends.last)) return [{ name: this.#name(records, ends), records }];
    const hours = Map.groupBy(records, ({ unixNano }) => hourOf(unixNano));
    return [...hours.values()].map((group) => ({ name: this.#name(group, endsOf(group)), records: group }));
  }

  /** The prefixes of the hours that two times and those between them are in, both in nanoseconds since 1970. */
  *hours({ first, last }: ObjectSpan): Generator<string> {
    for (let hour = first / hourNanos; hour <= last / hourNanos; hour++) yield this.#hour(hour);
  }

  /** What an object's name tells; undefined where it is none of these. */
  parse(name: string): NamedObject | undefined {
    const [, node = '', first, last] = /\/([^/]+)\/(\d+)-(\d+)-[^/]*\.ndjson\.gz$/.exec(name) ?? [];
    if (first === undefined || last === undefined) return undefined;
    return { node: node === NO_NODE ? '' : decodePercent(node), first: BigInt(first), last: BigInt(last) };
  }

  #hour(hour: bigint): string {
    const [date = '', time = ''] = new Date(Number(hour) * 3_600_000).toISOString().split('T');
    return `${this.#prefix}${date}/${time.slice(0, 2)}/`;
  }

  #name(records: readonly LogRecord[], { first, last }: Ends): string {
    const ids = new IdentityDigest();
    for (const record of records) ids.add(record);
    const node = encodeURIComponent(records[0]?.source.node || NO_NODE);
    return `${this.#hour(BigInt(hourOf(first)))}${node}/${first}-${last}-${ids.toString()}.ndjson.gz`;
  }
}

/** The first and the last time of some records. */
interface Ends {
  readonly first: string;
  readonly last: string;
}

/** @param records at least one. */
function endsOf(records: readonly LogRecord[]): Ends {
  let [first, last] = [records[0]!, records[0]!];
  for (const record of records) {
    if (isBefore(last, record)) last = record;
    else if (isBefore(record, first)) first = record;
  }
  return { first: first.unixNano, last: last.unixNano };
}

/** Since 1970. */
function hourOf(unixNano: string): number {
  return Math.floor(Number(unixNano.slice(0, -9)) / 3_600);
}

/** By their times. */
function isBefore(one: LogRecord, other: LogRecord): boolean {
  if (isInBytes(one) && isInBytes(other))
    return one.seconds === other.seconds ? one.nanos < other.nanos : one.seconds < other.seconds;
  // Decimal digits without leading zeros.
  const [a, b] = [one.unixNano, other.unixNano];
  return a.length === b.length ? a < b : a.length < b.length;
}
