import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileTraceReader } from '../../src/trace/file-trace-reader.ts';
import { FileWriter, type FileWriterOptions } from '../../src/writers/file-writer.ts';
import { keptLog } from '../support/logs.ts';
import { numberedRecord } from '../support/records.ts';

const { signal } = new AbortController();
const DAY_MS = 86_400_000;
let root: string;
let path: string;
let now: number;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'frostbeat-directories-'));
  path = join(root, '{node}/{date}/traces.ndjson');
  now = Date.parse('2026-03-01T12:00:00Z');
});
afterEach(() => rmSync(root, { recursive: true }));

async function start(options: Partial<FileWriterOptions> = {}) {
  const { log, lines: said } = await keptLog();
  const writer = new FileWriter({ path, node: 'n1', log, now: () => new Date(now), ...options });
  await writer.open();
  return { writer, said };
}

async function write(writer: FileWriter, ...numbers: number[]): Promise<void> {
  for (const n of numbers) {
    now += 1;
    await writer.writeBatch([numberedRecord(n)], signal);
  }
}

/** All files and empty directories below the root, in order; those of a rotation without its time. */
function tree(): string[] {
  return globSync('**', { cwd: root })
    .filter(
      (name) =>
        !statSync(join(root, name)).isDirectory() || globSync('*', { cwd: join(root, name) }).length === 0,
    )
    .map((name) => name.replace(/\d{8}-\d{6}\.\d{3}/, 'T'))
    .toSorted();
}

/** The numbers in all files, as often as they are there. */
function stored(): number[] {
  return globSync('*/*/*', { cwd: root })
    .flatMap((name) => {
      const bytes = readFileSync(join(root, name));
      const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
      return [...text.matchAll(/"log":\{"n":(\d+)\},"id"/g)].map(([, n]) => Number(n));
    })
    .toSorted((a, b) => a - b);
}

/** All numbers, by the reader of `frostbeat trace`. */
async function read(): Promise<number[]> {
  const found = await Array.fromAsync(new FileTraceReader(path).read('t1', signal));
  return found.map(({ bytes }) => (JSON.parse(String(bytes)) as { n: number }).n);
}

describe('the file writer, with {node} and {date} in the names of directories', () => {
  it('has a directory for each node and day, and the reader reads all of them', async () => {
    for (const [at, node] of ['n1', 'n2'].entries()) {
      now = Date.parse('2026-03-01T23:59:59.900Z');
      const { writer } = await start({ node });
      await write(writer, at * 2 + 1);
      now += 1_000;
      await write(writer, at * 2 + 2);
      await writer.close();
    }
    expect(tree()).toEqual([
      'n1/2026-03-01/traces.ndjson.T',
      'n1/2026-03-02/traces.ndjson',
      'n2/2026-03-01/traces.ndjson.T',
      'n2/2026-03-02/traces.ndjson',
    ]);
    expect(await read()).toEqual([1, 2, 3, 4]);
    const reader = new FileTraceReader(path, { livesOn: true });
    expect((await reader.recent(10, signal)).traces).toMatchObject([{ traceId: 't1', lines: 4 }]);
    expect(await reader.span('t1', await reader.now(signal), signal)).toEqual({
      first: '1700000000000000001',
      last: '1700000000000000004',
    });
  });

  it('rotates and compresses across days', async () => {
    const { writer } = await start({ maxBytes: 1, gzip: true });
    await write(writer, 1, 2);
    now += DAY_MS;
    await write(writer, 3, 4);
    await writer.close();
    expect(tree()).toEqual([
      'n1/2026-03-01/traces.ndjson.T.gz',
      'n1/2026-03-01/traces.ndjson.T.gz',
      'n1/2026-03-02/traces.ndjson',
      'n1/2026-03-02/traces.ndjson.T',
    ]);
    expect(await read()).toEqual([1, 2, 3, 4]);
  });

  it('removes the oldest files of all days beyond a size, and the days that are empty then', async () => {
    const { writer } = await start({ maxBytes: 1, keepBytes: 250 });
    for (const n of [1, 2, 3, 4, 5]) {
      await write(writer, n);
      now += DAY_MS;
    }
    await writer.close();
    expect(tree()).toEqual(['n1/2026-03-04/traces.ndjson.T', 'n1/2026-03-05/traces.ndjson']);
  });

  it('removes nothing that it could not have made, and nothing of other nodes', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'frostbeat-elsewhere-'));
    const stamp = 'traces.ndjson.20200101-000000.000';
    const kept = [
      `n1/2020-01-01/other.ndjson.20200101-000000.000`,
      `n1/2020-01-01/deep/${stamp}`,
      `n1/backup/${stamp}`,
      `n1/2020-01-01.old/${stamp}`,
      `n2/2020-01-01/${stamp}`,
      `n1x/2020-01-01/${stamp}`,
      stamp,
    ];
    const removed = [`n1/2020-01-02/${stamp}`, `n1/2020-01-02/${stamp}.gz`];
    for (const name of [...kept, ...removed, `../${elsewhere.split('/').at(-1)}/${stamp}`]) {
      const file = join(root, name);
      mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, 'x\n');
      utimesSync(file, 1_000, 1_000);
    }
    for (const name of ['n1/notes', 'n1/2020-01-03', 'n2/2020-01-03']) mkdirSync(join(root, name));
    symlinkSync(elsewhere, join(root, 'n1/2020-01-04'));
    const { writer } = await start({ keepAgeMs: 60_000 });
    await writer.close();
    rmSync(join(root, 'n1/2026-03-01'), { recursive: true });
    expect(existsSync(join(elsewhere, stamp))).toBe(true);
    rmSync(elsewhere, { recursive: true });
    rmSync(join(root, 'n1/2020-01-04'));
    const names = [...kept, 'n1/notes', 'n2/2020-01-03'].map((name) =>
      name.replace('20200101-000000.000', 'T'),
    );
    expect(tree()).toEqual(names.toSorted());
  });

  it('repairs the torn last line of a day that is over by the next start, and writes nothing twice', async () => {
    const { writer: killed } = await start();
    await write(killed, 1, 2);
    const torn = '{"timestamp":1700000000000000003,"traceId":"t1","log":{"n"';
    writeFileSync(join(root, 'n1/2026-03-01/traces.ndjson'), torn, { flag: 'a' });
    now += DAY_MS;
    for (const [gzip, repaired] of [
      [false, [torn.length]],
      [true, []],
    ] as const) {
      const { writer, said } = await start({ gzip, maxBytes: 1 });
      await writer.writeBatch(
        [1, 2, 3, 4].map((n) => numberedRecord(n)),
        signal,
      );
      await writer.writeBatch(
        [5, 6].map((n) => numberedRecord(n)),
        signal,
      );
      await writer.close();
      const repairs = said.filter(({ msg }) => String(msg).includes('torn last line'));
      expect(repairs.map(({ bytes }) => bytes)).toEqual(repaired);
    }
    await killed.close();
    expect(stored()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await read()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(tree().filter((name) => name.startsWith('n1/2026-03-01'))).toEqual([
      'n1/2026-03-01/traces.ndjson.T.gz',
    ]);
  });

  it.each(['..', '.', '../../up', '/etc', '.hidden', 'a/b', '%2E.', '$&', '{date}'])(
    'stays in its directory as the node %j, and reads it back',
    async (node) => {
      path = join(root, 'in/{node}/{date}/{node}.ndjson');
      for (let n = 1; n <= 2; n++) {
        const { writer } = await start({ node });
        await writer.writeBatch(
          [1, n].map((one) => numberedRecord(one)),
          signal,
        );
        await writer.close();
      }
      expect(await read()).toEqual([1, 2]);
      const [name = '', ...others] = tree();
      expect(others).toEqual([]);
      expect(name).toMatch(/^in\/([^/.][^/]*)\/2026-03-01\/\1\.ndjson$/);
    },
  );

  it('syncs the directories that an earlier try made', async () => {
    const opened: string[] = [];
    const { writer } = await start({
      openFile: async (name, ...args) => {
        opened.push(relative(root, name));
        if (opened.length === 1) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
        return await open(name, ...args);
      },
    });
    expect(tree()).toEqual(['n1/2026-03-01']);
    await write(writer, 1);
    await writer.close();
    const file = 'n1/2026-03-01/traces.ndjson';
    expect(opened).toEqual([file, file, 'n1/2026-03-01', 'n1', '']);
  });

  it('refuses a directory that is a symbolic link, and names it', async () => {
    mkdirSync(join(root, 'elsewhere'));
    symlinkSync(join(root, 'elsewhere'), join(root, 'n1'));
    await expect(start()).rejects.toThrow(
      `FILE_PATH (--file-path) is "${path}": it must be a file that the agent can write, and ELOOP: ` +
        `${join(root, 'n1')} is a symbolic link, which is not followed below ${root}`,
    );
    expect(tree()).toEqual(['elsewhere', 'n1']);
  });

  it('goes on when the directory of a day that is over was moved away', async () => {
    const { writer, said } = await start();
    await write(writer, 1);
    await rename(join(root, 'n1/2026-03-01'), join(root, 'archive'));
    now += DAY_MS;
    await write(writer, 2);
    await writer.close();
    expect(said).toMatchObject([{ level: 'warn', msg: expect.stringContaining('moved away') }]);
    expect(tree()).toEqual(['archive/traces.ndjson', 'n1/2026-03-02/traces.ndjson']);
  });

  it('gives who follows a trace every record once, from days and nodes that begin', async () => {
    const { writer } = await start();
    const { writer: other } = await start({ node: 'n2' });
    await write(writer, 1);
    await write(other, 2);
    now += DAY_MS;
    await write(writer, 3);
    await write(other, 4);
    const reader = new FileTraceReader(path);
    const after = await reader.now(signal);
    const stop = new AbortController();
    const seen: string[] = [];
    const enough = Promise.withResolvers<void>();
    const following = (async () => {
      for await (const { records } of reader.follow('t1', after, stop.signal)) {
        seen.push(...records.map(({ bytes }) => String(bytes)));
        if (seen.length >= 3) enough.resolve();
      }
    })().catch(() => undefined);
    await write(other, 5);
    now += DAY_MS;
    await write(writer, 6, 7);
    await enough.promise;
    stop.abort();
    await following;
    await writer.close();
    await other.close();
    expect(seen.toSorted()).toEqual([5, 6, 7].map((n) => `{"n":${n}}`));
    const between = reader.between('t1', { after, upTo: await reader.now(signal) }, signal);
    const owed = (await Array.fromAsync(between)).flat().map(({ bytes }) => String(bytes));
    expect(owed.toSorted()).toEqual([5, 6, 7].map((n) => `{"n":${n}}`));
  });
});
