import { expect, it } from 'vitest';
import type { Batch } from '../../src/batch/batch.ts';
import { Batcher } from '../../src/batch/batcher.ts';
import { InFlight } from '../../src/offsets/in-flight.ts';
import { AgentRecord, withText } from '../../src/record/agent-record.ts';

const PIECE = 64 * 1024;
const RECORD = 500;
const source = withText({ namespace: 'ns', pod: 'p', container: 'c', node: '' }, false);
const file = new InFlight('f', 0, () => undefined);

/** Records of which so many stand in each piece of a file. */
function* records(count: number, perPiece: number): Generator<AgentRecord, void> {
  let bytes = Buffer.alloc(0);
  for (let n = 0; n < count; n++) {
    if (n % perPiece === 0) bytes = Buffer.alloc(PIECE, 'x');
    const from = (n % perPiece) * RECORD;
    const json = { bytes, from, to: from + RECORD };
    const claim = file.claim(n * RECORD, (n + 1) * RECORD);
    yield new AgentRecord(
      { json, traceId: 't', time: { seconds: 0, nanos: 1 }, hasKubernetes: true },
      source,
      {
        claim,
        offset: n,
      },
    );
  }
}

/** The bytes that batches keep from being let go. */
function kept(batches: readonly Batch[]): number {
  const pieces = new Set(batches.flatMap((batch) => batch.records.map(({ piece }) => piece)));
  return [...pieces].reduce((sum, { length } = Buffer.alloc(0)) => sum + length, 0);
}

function batched(all: Iterable<AgentRecord>, size: number): Batch[] {
  const batches: Batch[] = [];
  const batcher = new Batcher({ records: size, bytes: 2 ** 20, periodMs: 60_000 }, (batch) => {
    batches.push(batch);
  });
  for (const record of all) batcher.add(record);
  batcher.flush();
  return batches;
}

it.each([20, 128, 2_000])(
  'records that stand alone in what was read do not keep all of it: %i a batch',
  (size) => {
    const batches = batched(records(2_000, 1), size);
    const bytes = 2_000 * RECORD;
    expect(batches.reduce((sum, batch) => sum + batch.bytes, 0)).toBe(bytes);
    // Their own bytes, twice as many of others, and three pieces a batch; without it 2,000 pieces.
    expect(kept(batches) / PIECE).toBeLessThan((3 * bytes) / PIECE + batches.length * 3);
  },
);

it.each([20, 2_000])('records that stand side by side are not copied: %i a batch', (size) => {
  const all = [...records(2_000, 125)];
  const before = all.map(({ piece }) => piece);
  batched(all, size);
  expect(all.every(({ piece }, n) => piece === before[n])).toBe(true);
});
