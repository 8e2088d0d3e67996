import { createGunzip } from 'node:zlib';
import type { ObjectStore } from '../../../src/writers/object-store.ts';
import { ndjsonRecords } from './ndjson-records.ts';

const signal = new AbortController().signal;

/** The JSON of every record in the objects of a bucket. */
export async function recordsIn(store: ObjectStore): Promise<Buffer[]> {
  const records: Buffer[] = [];
  for await (const name of store.list('', signal)) {
    if (!name.endsWith('.ndjson.gz')) continue;
    const bytes = (await store.read(name, signal)).compose(createGunzip());
    for await (const { value } of ndjsonRecords(bytes, name)) records.push(value);
  }
  store.close();
  return records;
}
