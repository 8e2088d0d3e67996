import { appendFile, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileTraceReader } from '../../src/trace/file-trace-reader.ts';
import { until } from '../support/until.ts';

const never = new AbortController().signal;

describe("following a trace in the file writer's output", () => {
  let directory: string;
  let path: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'frostbeat-test-'));
    path = join(directory, 'records.ndjson');
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('gives what is appended behind the mark, whole lines only', async () => {
    const torn = line('t', 2);
    await writeFile(path, `${line('t', 1)}${torn.slice(0, 20)}`);
    await using following = await follow('t');
    await appendFile(path, torn.slice(20));
    await appendFile(path, line('u', 3));
    await until(() => following.seen.length === 1, { what: 'the line that was torn' });
    await appendFile(path, line('t', 4));
    await until(() => following.seen.length === 2, { what: 'the next' });
    expect(following.seen).toEqual(['{"n":2}', '{"n":4}']);
  });

  it('goes on in a file that takes its place, and in one that was emptied', async () => {
    await writeFile(path, line('t', 1));
    await using following = await follow('t');
    await appendFile(path, line('t', 2));
    await until(() => following.seen.length === 1, { what: 'the first file' });
    await rename(path, `${path}.1`);
    await appendFile(`${path}.1`, line('t', 3));
    await until(() => following.seen.length === 2, { what: 'the end of the first file' });
    await writeFile(path, line('u', 3).repeat(5) + line('t', 4));
    await until(() => following.seen.length === 3, { what: 'the second file' });
    await truncate(path, 0);
    await appendFile(path, line('t', 5));
    await until(() => following.seen.length === 4, { what: 'the emptied file' });
    expect(following.seen).toEqual([2, 3, 4, 5].map((n) => `{"n":${n}}`));
  });

  it.each([false, true])(
    'reads a trace of more places than it keeps in several passes, in order (index: %s)',
    async (livesOn) => {
      const times = Array.from({ length: 95 }, (_, n) => (n * 37) % 95);
      await writeFile(path, times.map((n) => line('t', 10 + n)).join(''));
      const reader = new FileTraceReader(path, { livesOn, mostPlaces: 10 });
      const found = await Array.fromAsync(reader.read('t', never));
      expect(found.map(({ bytes }) => String(bytes))).toEqual(times.map((_, n) => `{"n":${10 + n}}`));
      const after = found[40];
      expect(await Array.fromAsync(reader.read('t', never, { after }))).toHaveLength(54);
    },
  );

  async function follow(traceId: string) {
    const reader = new FileTraceReader(path);
    const mark = await reader.now(never);
    const stop = new AbortController();
    const seen: string[] = [];
    const done = (async () => {
      for await (const { records } of reader.follow(traceId, mark, stop.signal)) {
        seen.push(...records.map(({ bytes }) => bytes.toString()));
      }
    })().catch((error: unknown) => {
      if (!stop.signal.aborted) throw error;
    });
    return {
      seen,
      async [Symbol.asyncDispose]() {
        stop.abort(new Error('enough'));
        await done;
      },
    };
  }
});

function line(traceId: string, n: number): string {
  return `{"timestamp":${1_700_000_000 + n}000000000,"traceId":"${traceId}","log":{"n":${n}}}\n`;
}
