import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import type { ObjectStore } from '../../src/writers/object-store.ts';
import { ObjectWriter } from '../../src/writers/object-writer.ts';
import { memoryStore } from '../support/memory-store.ts';
import { record } from '../support/records.ts';

const HOUR = 3_600_000_000_000n;
const { signal } = new AbortController();

/** A store in memory, which refuses what it is told to. */
function memory(refuses: (objects: number) => boolean = () => false) {
  const kept = memoryStore();
  const put: ObjectStore['put'] = async (...object) => {
    if (refuses(kept.objects.size)) throw new Error('full');
    await kept.put(...object);
  };
  return { objects: kept.objects, store: { ...kept, put } };
}

const writer = (store: ObjectStore, gzipLevel = 3) =>
  new ObjectWriter({ name: 'x', store, prefix: '', objectBytes: 1, objectAgeMs: 1, gzipLevel });

const some = (count: number, hour = 0n) =>
  Array.from({ length: count }, (_, n) =>
    record(`{"n":${n},"text":"${String(Math.sin(n))}"}`, {
      unixNano: String(1_700_000_000_000_000_000n + hour * HOUR + BigInt(n)),
      id: `0123456789abcdef-${(Number(hour) * 100_000 + n).toString(16).padStart(12, '0')}`,
    }),
  );

const linesIn = (objects: ReadonlyMap<string, Buffer>) =>
  [...objects.values()].map((bytes) => gunzipSync(bytes).toString().trimEnd().split('\n').length);

it('compresses as hard as it is told, the same lines', async () => {
  const objects = [1, 9].map((level) => ({ level, ...memory() }));
  for (const { level, store } of objects) await writer(store, level).writeBatch(some(2_000), signal);
  const [fast, small] = objects.map(({ objects: all }) => [...all.values()][0]!);
  expect(small!.length).toBeLessThan(fast!.length);
  expect(gunzipSync(small!)).toEqual(gunzipSync(fast!));
});

it('where the second of two hours cannot be stored, the first is told as stored', async () => {
  const { objects, store } = memory((stored) => stored > 0);
  const first = some(3);
  const failed = writer(store).writeBatch([...first, ...some(2, 2n)], signal);
  await expect(failed).rejects.toMatchObject({ name: 'PartialWriteError', message: 'full', stored: first });
  expect(linesIn(objects)).toEqual([3]);
});

it('a batch of more records than a stack has room for is stored, over two hours too', async () => {
  const { objects, store } = memory();
  const many = some(200_000);
  await writer(store).writeBatch(many, signal);
  await writer(store).writeBatch([...many, ...some(1, 2n)], signal);
  expect(linesIn(objects)).toEqual([200_000, 1]);
});
