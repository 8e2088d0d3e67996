import { behind, type Bounds, type EtcdPages, nextLimit, place } from './etcd-pages.ts';
import type { StoredRecord } from './stored-record.ts';

const FIRST_PAGE = 64;

/**
 * The records of a trace that were first stored after one revision and up to another, as far as they are still there:
 * by a look at all keys of the trace, since a key says at which revision it was made.
 */
export async function* recordsBetween(
  pages: EtcdPages,
  range: Bounds,
  { after, upTo }: { readonly after: string; readonly upTo: string },
  signal: AbortSignal,
): AsyncGenerator<readonly StoredRecord[], void> {
  for (let key: Buffer | undefined = range.key; key !== undefined;) {
    const { kvs, next } = await pages.keys({ ...range, key, revision: upTo }, signal);
    key = next;
    const fresh = kvs.filter(({ create_revision }) => BigInt(create_revision) > BigInt(after));
    const [first, last] = [fresh[0], fresh.at(-1)];
    if (first === undefined || last === undefined) continue;
    const wanted = new Set(fresh.map((one) => one.key.toString('latin1')));
    const end = behind(last.key);
    let limit = FIRST_PAGE;
    for (let from: Buffer | undefined = first.key; from !== undefined;) {
      const page = await pages.values({ key: from, range_end: end, limit, revision: upTo }, signal);
      const records = page.records.filter((one) => wanted.has(keyOf(first.key, one)));
      if (records.length > 0) yield records;
      limit = nextLimit(page.records, limit);
      from = page.next;
    }
  }
}

/** The key of a record of the same trace as another key's, one character a byte. */
function keyOf(sibling: Buffer, { unixNano, id }: StoredRecord): string {
  return Buffer.from(`${place(sibling).prefix}${unixNano}/${id}`).toString('latin1');
}
