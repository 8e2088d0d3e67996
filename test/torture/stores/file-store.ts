import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { ndjsonRecords } from '../../support/servers/ndjson-records.ts';
import { type FoundRecord, judgeByReading } from './read-back.ts';
import type { TortureStore } from './torture-store.ts';

const NAME = 'out.ndjson';

/** The writer `file`, which rotates and compresses all the time. */
export function fileStore(directory: string): TortureStore {
  return {
    env: {
      WRITERS: 'file',
      FILE_PATH: join(directory, NAME),
      FILE_MAX_SIZE: '1MiB',
      FILE_MAX_AGE: '5s',
      FILE_GZIP: 'true',
    },
    server: undefined,
    keepsBytes: true,
    judge: (book, differences) => judgeByReading(() => all(directory), book, differences),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function* all(directory: string): AsyncGenerator<FoundRecord, void> {
  const names = (await readdir(directory)).filter((name) => /^out\.ndjson(\.\d[^/]*)?$/.test(name));
  // A crash between the two leaves a file beside its compressed one, which then is no second copy.
  const plain = new Set(names);
  for (const name of names.toSorted()) {
    if (name.endsWith('.gz') && plain.has(name.slice(0, -'.gz'.length))) continue;
    const bytes = createReadStream(join(directory, name));
    yield* ndjsonRecords(name.endsWith('.gz') ? bytes.compose(createGunzip()) : bytes, name);
  }
}
