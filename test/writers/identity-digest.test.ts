import { expect, it } from 'vitest';
import type { LogRecord, RecordInBytes } from '../../src/record/log-record.ts';
import { IdentityDigest } from '../../src/writers/identity-digest.ts';
import { record } from '../support/records.ts';

const idOf = (fileId: string, offset: number) => `${fileId}-${offset.toString(16).padStart(12, '0')}`;
const withText = (fileId: string, offset: number) => record('{}', { id: idOf(fileId, offset) });
const inBytes = (fileId: string, offset: number): RecordInBytes => ({
  ...withText(fileId, offset),
  fileId,
  offset,
  seconds: 0,
  nanos: 0,
  suffix: Buffer.alloc(0),
  copyOwnTo: () => 0,
  copyUnixNanoTo: () => 0,
  copyIdTo: () => 0,
  traceIdLength: 0,
  copyTraceIdTo: () => -1,
});

function digest(records: readonly LogRecord[]): string {
  const ids = new IdentityDigest();
  for (const one of records) ids.add(one);
  return ids.toString();
}

const [fileA, fileB] = ['00000000000000aa', 'bb00000000000000'];
const places = Array.from({ length: 200 }, (_, n) => [n % 3 === 0 ? fileA : fileB, n * 500] as const);
const records = places.map(([fileId, offset]) => inBytes(fileId, offset));

it('tells the least and the greatest identity, beyond 32 bits too', () => {
  const some = [inBytes(fileB, 7), inBytes(fileA, 2 ** 41 + 5), inBytes(fileB, 2 ** 33), inBytes(fileB, 6)];
  expect(digest(some)).toMatch(
    new RegExp(`^${idOf(fileA, 2 ** 41 + 5)}-${idOf(fileB, 2 ** 33)}-[0-9a-f]{16}$`),
  );
});

it('is the same in whatever order identities come, and whether they come as texts or not', () => {
  expect(digest(records.toReversed())).toBe(digest(records));
  expect(digest(places.map(([fileId, offset]) => withText(fileId, offset)))).toBe(digest(records));
});

it('differs where one identity is missing, is there twice, or is another', () => {
  const known = new Set([digest(records)]);
  const ends = new Set([0, records.length - 1]);
  for (const n of records.keys()) {
    if (ends.has(n)) continue;
    const [fileId, offset] = places[n]!;
    known.add(digest(records.toSpliced(n, 1)));
    known.add(digest([...records, records[n]!]));
    known.add(digest(records.toSpliced(n, 1, inBytes(fileId, offset + 1))));
    known.add(digest(records.toSpliced(n, 1, inBytes(fileId === fileA ? fileB : fileA, offset))));
  }
  expect(known.size).toBe(1 + 4 * (records.length - 2));
});

it('two files of equal offsets, and offsets that differ above 32 bits only, do not cancel out', () => {
  const hashes = [
    [inBytes(fileA, 1), inBytes(fileA, 2), inBytes(fileA, 3)],
    [inBytes(fileA, 1), inBytes(fileA, 2 + 2 ** 32), inBytes(fileA, 3)],
    [inBytes(fileA, 1 + 2 ** 32), inBytes(fileA, 2), inBytes(fileA, 3)],
    [inBytes(fileB, 1), inBytes(fileB, 2), inBytes(fileB, 3)],
    [inBytes(fileA, 1), inBytes(fileB, 2), inBytes(fileA, 3)],
    [inBytes(fileB, 1), inBytes(fileA, 2), inBytes(fileB, 3)],
  ].map((some) => digest(some).slice(-16));
  expect(new Set(hashes).size).toBe(hashes.length);
  // Nor one half alone: each of the two hashes tells them apart.
  for (const half of [0, 8]) expect(new Set(hashes.map((hash) => hash.slice(half, half + 8))).size).toBe(6);
});

const named = (id: string) => record('{}', { id });

it('what is no identity of the agent counts by its whole text', () => {
  expect(digest([named('b'), named('a'), named('c')])).toMatch(/^a-c-[0-9a-f]{16}$/);
  expect(digest([named('a'), named('b'), named('c')])).not.toBe(digest([named('a'), named('x'), named('c')]));
});
