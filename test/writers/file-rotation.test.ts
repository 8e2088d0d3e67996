import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileTraceReader } from '../../src/trace/file-trace-reader.ts';
import { FileWriter, type FileWriterOptions } from '../../src/writers/file-writer.ts';
import { keptLog } from '../support/logs.ts';
import { numberedRecord } from '../support/records.ts';
import { until } from '../support/until.ts';

const { signal } = new AbortController();
let directory: string;
let path: string;
let now: number;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'frostbeat-rotation-'));
  path = join(directory, 'records.ndjson');
  now = Date.now();
});
afterEach(() => rmSync(directory, { recursive: true }));

async function start(options: Partial<FileWriterOptions>): Promise<FileWriter> {
  const { log } = await keptLog();
  const writer = new FileWriter({ path, log, now: () => new Date(now), ...options });
  await writer.open();
  return writer;
}

async function write(writer: FileWriter, ...numbers: number[]): Promise<void> {
  for (const n of numbers) {
    now += 1;
    await writer.writeBatch([numberedRecord(n)], signal);
  }
}

/** The records' numbers, file by file in the order of their names. */
function content(): Record<string, number[]> {
  return Object.fromEntries(
    readdirSync(directory)
      .toSorted()
      .map((name) => {
        const bytes = readFileSync(join(directory, name));
        const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
        return [
          name,
          text
            .split('\n')
            .slice(0, -1)
            .map((line) => (JSON.parse(line) as { log: { n: number } }).log.n),
        ];
      }),
  );
}

/** All numbers that are stored, by `frostbeat trace`'s reader. */
async function read(file = path): Promise<number[]> {
  const found = await Array.fromAsync(new FileTraceReader(file).read('t1', signal));
  return found.map(({ bytes }) => (JSON.parse(String(bytes)) as { n: number }).n);
}

const rotated = (gz = '') =>
  expect.stringMatching(new RegExp(String.raw`^records\.ndjson\.\d{8}-\d{6}\.\d{3}${gz}$`));

/** Whether there is an `X.gz` whose X is gone. */
function hasCompressed(): boolean {
  const names = new Set(readdirSync(directory));
  return [...names].some((name) => name.endsWith('.gz') && !names.has(name.slice(0, -3)));
}

describe('the file writer', () => {
  it('begins a new file when one is full, and the reader reads them all', async () => {
    const writer = await start({ maxBytes: 200 });
    await write(writer, 1, 2, 3, 4, 5);
    await writer.close();
    const files = content();
    expect(Object.keys(files)).toEqual(['records.ndjson', rotated(), rotated()]);
    expect(Object.values(files)).toEqual([[5], [1, 2], [3, 4]]);
    expect(await read()).toEqual([1, 2, 3, 4, 5]);
  });

  it('begins a new file when one is old, but none for nothing', async () => {
    const writer = await start({ maxAgeMs: 60_000 });
    now += 120_000;
    await write(writer, 1);
    now += 120_000;
    await write(writer, 2);
    await writer.close();
    expect(Object.values(content())).toEqual([[2], [1]]);
  });

  it('has a file for each day and node, where their names are in its path', async () => {
    path = join(directory, '{node}-{date}.ndjson');
    for (const node of ['n1', 'n2']) {
      now = Date.parse('2026-03-01T23:59:59.900Z');
      const writer = await start({ node, gzip: true });
      await write(writer, node === 'n1' ? 1 : 3);
      now += 1_000;
      await write(writer, node === 'n1' ? 2 : 4);
      await writer.close();
    }
    expect(content()).toEqual({
      'n1-2026-03-01.ndjson.20260302-000000.902': [1],
      'n1-2026-03-02.ndjson': [2],
      'n2-2026-03-01.ndjson.20260302-000000.902': [3],
      'n2-2026-03-02.ndjson': [4],
    });
    expect(await read()).toEqual([1, 2, 3, 4]);
  });

  it('loses nothing when the clock is set back to a day before', async () => {
    path = join(directory, '{date}.ndjson');
    now = Date.parse('2026-03-02T00:00:00Z');
    const writer = await start({ gzip: true });
    for (const [n, day] of ['02', '03', '02', '03', '01', '03'].entries()) {
      now = Date.parse(`2026-03-${day}T00:00:00Z`);
      await write(writer, n);
    }
    await writer.close();
    // One that is left by an agent that was killed is rotated by the next.
    const next = await start({ gzip: true });
    now = Date.parse('2026-03-09T00:00:00Z');
    await write(next, 6);
    await next.close();
    expect(
      Object.values(content())
        .flat()
        .toSorted((a, b) => a - b),
    ).toEqual([0, 1, 2, 3, 4, 5, 6]);
    const plain = Object.keys(content()).filter((name) => !name.endsWith('.gz'));
    expect(plain).toEqual([expect.stringMatching(/^2026-03-03\.ndjson\.\d+-/), '2026-03-09.ndjson']);
    expect(await read()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it('compresses what is rotated but the newest, and what a crash left uncompressed', async () => {
    const before = await start({ maxBytes: 1 });
    await write(before, 1, 2);
    await before.close();
    const writer = await start({ maxBytes: 1, gzip: true });
    await write(writer, 3, 4);
    await writer.close();
    const files = content();
    const gz = rotated(String.raw`\.gz`);
    expect(Object.keys(files)).toEqual(['records.ndjson', gz, gz, rotated()]);
    expect(Object.values(files)).toEqual([[4], [1], [2], [3]]);
    expect(await read()).toEqual([1, 2, 3, 4]);
  });

  it('removes the oldest files beyond a size, and those beyond an age, never the one written to', async () => {
    const first = await start({ maxBytes: 1, keepBytes: 250 });
    await write(first, 1, 2, 3, 4, 5);
    await first.close();
    expect(Object.values(content())).toEqual([[5], [4]]);

    for (const name of readdirSync(directory)) utimesSync(join(directory, name), 1_000, 1_000);
    const second = await start({ maxBytes: 1, keepAgeMs: 60_000 });
    await second.close();
    expect(Object.values(content())).toEqual([[5]]);
  });

  it('writes nothing again that another process wrote before it was killed, also where that was rotated', async () => {
    const killed = await start({ maxBytes: 200, gzip: true });
    await write(killed, 1, 2, 3, 4, 5);
    // One that is killed compresses no more beside the next.
    await until(hasCompressed, { what: 'a compressed file' });
    const writer = await start({ maxBytes: 200, gzip: true });
    await writer.writeBatch(
      [4, 5, 6].map((n) => numberedRecord(n)),
      signal,
    );
    await writer.writeBatch(
      [1, 2, 3, 7].map((n) => numberedRecord(n)),
      signal,
    );
    await writer.close();
    await killed.close();
    expect(
      Object.values(content())
        .flat()
        .toSorted((a, b) => a - b),
    ).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('gives who follows a trace every record once, over rotation and compression', async () => {
    const writer = await start({ maxBytes: 1, gzip: true });
    await write(writer, 1, 2);
    const reader = new FileTraceReader(path);
    const mark = await reader.now(signal);
    await write(writer, 3);
    const stop = new AbortController();
    const seen: string[] = [];
    const following = (async () => {
      for await (const { records } of reader.follow('t1', mark, stop.signal)) {
        seen.push(...records.map(({ bytes }) => String(bytes)));
      }
    })().catch(() => undefined);
    await until(() => seen.length === 1, { what: 'the record behind the mark' });
    // What is behind a mark is not what was there at it.
    const before = await Array.fromAsync(reader.read('t1', signal, { at: mark }));
    expect(before.map(({ bytes }) => String(bytes))).toEqual(['{"n":1}', '{"n":2}']);
    await write(writer, 4);
    await until(() => seen.length === 2, { what: 'the next' });
    const after = await reader.now(signal);
    await write(writer, 5);
    await until(() => seen.length === 3, { what: 'the last' });
    stop.abort();
    await following;
    await write(writer, 6);
    await writer.close();
    const between = await Array.fromAsync(
      reader.between('t1', { after, upTo: await reader.now(signal) }, signal),
    );
    expect(between.flat().map(({ bytes }) => String(bytes))).toEqual(['{"n":5}', '{"n":6}']);
    expect(await reader.span('t1', await reader.now(signal), signal)).toEqual({
      first: '1700000000000000001',
      last: '1700000000000000006',
    });
    expect(seen).toEqual([3, 4, 5].map((n) => `{"n":${n}}`));
    expect(existsSync(path)).toBe(true);
  });
});
