import type { TestEtcd } from '../support/etcd.ts';
import type { Differences, RecordBook } from './record-book.ts';

const PAGE = 5_000;
const end = 'logs0';

/** Compares all that etcd holds with what was written; reads it in pages. Returns the number of keys. */
export async function compareWithStore(
  { client }: TestEtcd,
  book: RecordBook,
  to: Differences,
): Promise<number> {
  let from = Buffer.from('logs/');
  let keys = 0;
  for (;;) {
    const { kvs, more } = await client.kv.range(
      { key: from, range_end: Buffer.from(end), limit: PAGE },
      { deadline: Date.now() + 60_000 },
    );
    for (const { key, value } of kvs) book.see(key, value, to);
    keys += kvs.length;
    if (!more) break;
    from = Buffer.concat([kvs.at(-1)!.key, Buffer.from([0])]);
  }
  book.missing(to);
  return keys;
}
