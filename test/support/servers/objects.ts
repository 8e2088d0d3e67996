import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { ndjsonRecordEnd } from '../../../src/writers/ndjson.ts';
import type { ObjectStore } from '../../../src/writers/object-store.ts';

const signal = new AbortController().signal;

/** The JSON of every record in the objects of a bucket. */
export async function recordsIn(store: ObjectStore): Promise<Buffer[]> {
  const records: Buffer[] = [];
  for await (const name of store.list('', signal)) {
    const text = gunzipSync(await buffer(await store.read(name, signal)));
    for (
      let start = 0, end = text.indexOf(0x0a);
      end !== -1;
      start = end + 1, end = text.indexOf(0x0a, start)
    ) {
      records.push(text.subarray(text.indexOf('"log":', start) + 6, ndjsonRecordEnd(text, end)));
    }
  }
  store.close();
  return records;
}
