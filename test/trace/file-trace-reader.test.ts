import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LogRecord } from '../../src/record/log-record.ts';
import { FileTraceReader } from '../../src/trace/file-trace-reader.ts';
import type { StoredRecord } from '../../src/trace/stored-record.ts';
import { FileWriter } from '../../src/writers/file-writer.ts';
import { record } from '../support/records.ts';

const never = new AbortController().signal;

describe("reading a trace from the file writer's output", () => {
  let directory: string;
  let path: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'frostbeat-test-'));
    path = join(directory, 'records.ndjson');
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('gives the records of one trace alone, by time, byte for byte', async () => {
    const bytes = Buffer.from([0x7b, 0xff, 0x7d]);
    await write([
      record('{"late":1}', { traceId: 'a', unixNano: '1700000000000000009' }),
      record('{"other":1}', { traceId: 'ab', unixNano: '1700000000000000002' }),
      record('{"first of two":1}', { traceId: 'a', unixNano: '1700000000000000005' }),
      record(bytes, { traceId: 'a', unixNano: '1700000000000000001' }),
      record('{"second of two":1}', {
        traceId: 'a',
        unixNano: '1700000000000000005',
        id: '0123456789abcdef-000000000001',
      }),
      record('{"old":1}', { traceId: 'a', unixNano: '5' }),
    ]);
    expect(await read('a')).toEqual([
      { unixNano: '5', id: expect.any(String) as string, bytes: Buffer.from('{"old":1}') },
      { unixNano: '1700000000000000001', id: expect.any(String) as string, bytes },
      {
        unixNano: '1700000000000000005',
        id: expect.any(String) as string,
        bytes: Buffer.from('{"first of two":1}'),
      },
      {
        unixNano: '1700000000000000005',
        id: expect.any(String) as string,
        bytes: Buffer.from('{"second of two":1}'),
      },
      { unixNano: '1700000000000000009', id: expect.any(String) as string, bytes: Buffer.from('{"late":1}') },
    ]);
  });

  it.each(['quote " and \\', 'grüße 🫖', 'tab\t', 'half \ud83e', '},"log":{'])(
    'finds the trace %j',
    async (traceId) => {
      await write([record('{"n":1}', { traceId }), record('{"n":2}', { traceId: 'x' })]);
      expect((await read(traceId)).map(({ bytes }) => String(bytes))).toEqual(['{"n":1}']);
    },
  );

  it('is not fooled by a record that holds what looks like a line', async () => {
    const fake = '{"timestamp":12,"traceId":"a","log":{}}';
    await write([record(`{"x":${fake}}`, { traceId: 'b' }), record(`{"y":${fake}}`, { traceId: 'a' })]);
    expect((await read('a')).map(({ bytes }) => String(bytes))).toEqual([`{"y":${fake}}`]);
  });

  it('finds lines across the edges of what is read at once', async () => {
    const sizes = [1_048_500, 30, 3_000_000, 10, 1_048_576];
    await write(sizes.map((size, n) => record(`{"s":"${'x'.repeat(size)}"}`, { unixNano: String(100 + n) })));
    expect((await read('t1')).map(({ bytes }) => bytes.length - 8)).toEqual(sizes);
  });

  it('leaves out a last line that is not whole', async () => {
    await write([record('{"n":1}')]);
    await appendFile(path, '{"timestamp":5,"traceId":"t1","log":{"n":2}}');
    expect(await read('t1')).toHaveLength(1);
  });

  it('says that there is no file', async () => {
    await expect(read('a')).rejects.toThrow('there is no such file (yet); FILE_PATH names it');
  });

  async function write(batch: readonly LogRecord[]): Promise<void> {
    const writer = new FileWriter({ path, log: pino({ level: 'silent' }) });
    await writer.open();
    await writer.writeBatch(batch, never);
    await writer.close();
  }

  function read(traceId: string): Promise<StoredRecord[]> {
    return Array.fromAsync(new FileTraceReader(path).read(traceId, never));
  }
});
