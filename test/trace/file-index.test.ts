import { gzipSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
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

  it('gives pages and the first and last time as a look at all lines would, whatever the order of their times', async () => {
    const millis = fc.integer({ min: 1, max: 999 });
    const time = fc.oneof(
      millis.map((ms) => `1700000000${String(ms).padStart(3, '0')}000000`),
      // Most are of one millisecond.
      { weight: 6, arbitrary: fc.integer({ min: 0, max: 9 }).map((ns) => `170000000000500000${ns}`) },
      fc.constantFrom('5', '999999', '1000000', '12345678901'),
    );
    const place = fc.record({ time, own: fc.boolean(), pad: fc.constantFrom(10, 400_000) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(place, { minLength: 1, maxLength: 20, size: 'max' }),
        fc.record({ since: time, until: time }, { requiredKeys: [] }),
        fc.integer({ min: 1, max: 6 }),
        async (places, times, mostPlaces) => {
          const lines = places.map(({ time: at, own, pad }, n) =>
            line(own ? 'own' : 'other', n, 'x'.repeat(pad)).replace(/\d+/, at),
          );
          await writeFile(path, ['short\n', '{"timestamp":x,\n', ...lines].join(''));
          const reader = new FileTraceReader(path, { livesOn: true, mostPlaces });
          const plain = new FileTraceReader(path);
          const mark = await reader.now(never);
          const read = async (from: FileTraceReader) =>
            await Array.fromAsync(from.read('own', never, { ...times, at: mark }));
          expect(await read(reader)).toEqual(await read(plain));
          expect(await reader.span('own', mark, never)).toEqual(await plain.span('own', mark, never));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('reads of a large file that is in order of time only what a page and the ends of the trace take', async () => {
    const lines = Array.from({ length: 60 }, (_, n) => line('own', n * 1_000_000, 'x'.repeat(300_000)));
    await writeFile(path, lines.join(''));
    const reader = new FileTraceReader(path, { livesOn: true, mostPlaces: 3 });
    await reader.prepare(never);
    const before = readSoFar();
    const mark = await reader.now(never);
    const page = reader.read('own', never, { at: mark });
    const first = await page.next();
    await page.return();
    const span = await reader.span('own', mark, never);
    expect(first.value?.unixNano).toBe('1700000000000000000');
    expect(span).toEqual({ first: '1700000000000000000', last: '1700000000059000000' });
    expect(readSoFar() - before).toBeLessThan(8_000_000);
  });

  it('tells of traces at the end of a large file whether they begin there', async () => {
    const pad = 'x'.repeat(1_000_000);
    const lines = ['old', ...Array<string>(20).fill('filler'), 'old', 'new'];
    await writeFile(path, lines.map((traceId, n) => line(traceId, n, pad)).join(''));
    const { traces } = await new FileTraceReader(path, { livesOn: true }).recent(10, never);
    expect(traces.map(({ traceId, partial }) => [traceId, partial])).toEqual([
      ['new', false],
      ['old', true],
      ['filler', true],
    ]);
    const once = await new FileTraceReader(path).recent(10, never);
    expect(once.traces.map(({ partial }) => partial)).toEqual([true, true, true]);
  });

  it('counts the lines of traces in files that were rotated, too', async () => {
    await writeFile(`${path}.20261124-120000.000`, line('old', 1, ''));
    await writeFile(path, line('old', 2, '') + line('new', 3, ''));
    for (const options of [{}, { livesOn: true }]) {
      expect(await new FileTraceReader(path, options).recent(10, never)).toMatchObject({
        traces: [
          { traceId: 'new', lines: 1, partial: false },
          { traceId: 'old', lines: 2, partial: false, firstUnixNano: '1700000000000000001' },
        ],
      });
    }
  });

  it('tells of traces whether they have lines in a file that was rotated and is not read', async () => {
    const rotated = `${path}.20261124-120000.000`;
    await writeFile(rotated, line('long', 1, ''));
    const filler = Array.from({ length: 17 }, () => line('filler', 2, 'x'.repeat(1_000_000)));
    await writeFile(path, [...filler, line('long', 3, ''), line('new', 4, '')].join(''));
    const reader = new FileTraceReader(path, { livesOn: true });
    const expected = [
      ['new', false],
      ['long', true],
      ['filler', true],
    ];
    expect(await partialOnes(reader)).toEqual(expected);
    await writeFile(`${rotated}.gz`, gzipSync(line('long', 1, '')));
    expect(await partialOnes(reader)).toEqual(expected);
    await rm(rotated);
    expect(await partialOnes(reader)).toEqual(expected.map(([traceId]) => [traceId, true]));
  });

  it('takes the lists of traces for parts where a file is compressed, and says so', async () => {
    await writeFile(`${path}.20261124-120000.000.gz`, gzipSync(line('old', 1, '')));
    await writeFile(path, line('old', 2, ''));
    expect(await new FileTraceReader(path, { livesOn: true }).recent(10, never)).toMatchObject({
      traces: [{ traceId: 'old', lines: 1, partial: true }],
      note: expect.stringMatching(/none that is compressed/),
    });
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

async function partialOnes(reader: FileTraceReader): Promise<[string, boolean][]> {
  const { traces } = await reader.recent(10, never);
  return traces.map(({ traceId, partial }) => [traceId, partial]);
}

/** Bytes that this process has read. */
function readSoFar(): number {
  const [, bytes] = /^rchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8')) ?? [];
  return Number(bytes);
}

function line(traceId: string, n: number, pad: string): string {
  return `{"timestamp":17000000000${String(n).padStart(8, '0')},"traceId":"${traceId}","log":{"n":${n},"pad":"${pad}"}}\n`;
}
