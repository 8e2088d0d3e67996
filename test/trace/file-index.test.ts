import { appendFile, mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileIndex } from '../../src/trace/file-index.ts';
import { FileTraceReader } from '../../src/trace/file-trace-reader.ts';
import { FileWriter } from '../../src/writers/file-writer.ts';
import { record } from '../support/records.ts';

const never = new AbortController().signal;

describe("the index of the file writer's output", () => {
  let directory: string;
  let path: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'frostbeat-test-'));
    path = join(directory, 'records.ndjson');
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('finds what a search through the whole file finds, whatever the trace IDs and as the file grows', async () => {
    const text = fc.oneof(
      fc.string({ minLength: 1, unit: 'binary' }),
      fc.constantFrom('a"b', 'a\\', '\\"', '🫖', '"log":', ','),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(text, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 }),
        async (batches) => {
          await rm(path, { force: true });
          const writer = new FileWriter({ path, log: pino({ level: 'silent' }) });
          await writer.open();
          const reader = new FileTraceReader(path, { livesOn: true });
          for (const [n, batch] of batches.entries()) {
            const records = batch.map((traceId, at) =>
              record(JSON.stringify({ traceId, n: `${n}/${at}` }), {
                traceId,
                unixNano: `170000000000000${n}${at}00`,
              }),
            );
            await writer.writeBatch(records, never);
            for (const traceId of new Set(batches.flat())) {
              const indexed = await Array.fromAsync(reader.read(traceId, never));
              expect(indexed).toEqual(await Array.fromAsync(new FileTraceReader(path).read(traceId, never)));
            }
          }
          await writer.close();
        },
      ),
      { numRuns: 50 },
    );
  });

  it('leads to the parts that may hold the trace, and no others, as far as there is room', async () => {
    const pad = 'x'.repeat(200);
    await writeFile(
      path,
      Array.from({ length: 12_000 }, (_, n) => line(n === 11_990 ? 'rare' : `t${n >> 3}`, n, pad)).join(''),
    );
    await using file = await open(path);
    const { size } = await file.stat();
    const at = { to: size, traceId: 'rare' };
    const parts = await new FileIndex().parts(file, at, never);
    expect(parts).toHaveLength(1);
    expect(parts[0]!.to).toBe(size);
    expect(parts[0]!.from).toBeGreaterThan(2_000_000);
    expect(await new FileIndex().parts(file, { ...at, traceId: 'none' }, never)).toEqual([]);
    // What has no room in the index is looked through.
    expect((await new FileIndex(1).parts(file, { ...at, traceId: 'none' }, never)).length).toBeGreaterThan(1);
  });

  it('begins anew with a file that was emptied, however long it is by then', async () => {
    await writeFile(path, line('old', 1, ''));
    const reader = new FileTraceReader(path, { livesOn: true });
    expect(await Array.fromAsync(reader.read('old', never))).toHaveLength(1);
    await truncate(path, 0);
    await appendFile(path, line('new', 2, 'longer than before'));
    expect(await Array.fromAsync(reader.read('new', never))).toHaveLength(1);
    expect(await Array.fromAsync(reader.read('old', never))).toEqual([]);
    expect((await reader.recent(10, never)).traces.map(({ traceId }) => traceId)).toEqual(['new']);
  });
});

function line(traceId: string, n: number, pad: string): string {
  return `{"timestamp":17000000000${String(n).padStart(8, '0')},"traceId":"${traceId}","log":{"n":${n},"pad":"${pad}"}}\n`;
}
