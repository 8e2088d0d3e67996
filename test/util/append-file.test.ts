import { appendFileSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AppendFile, type OpenFile } from '../../src/util/append-file.ts';

let directory: string;
let calls: string[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'frostbeat-append-'));
  calls = [];
});
afterEach(() => rmSync(directory, { recursive: true }));

const noted = ['truncate', 'write', 'sync'];

/** Opens real files, and notes what is done to them, with the path below the directory. */
const openNoted: OpenFile = async (path, flags, mode) => {
  const handle = await open(path, flags, mode);
  const synced = (flags & constants.O_DSYNC) === constants.O_DSYNC;
  return new Proxy(handle, {
    get: (target: FileHandle, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const called = name === 'write' && synced ? 'synced write' : String(name);
      if (noted.includes(String(name))) calls.push(`${called} ${relative(directory, path)}`);
      return value.bind(target) as unknown;
    },
  });
};

it('syncs a new file, its name, and the names of the directories that were made for it', async () => {
  const file = await AppendFile.open(join(directory, 'a/b/records'), () => undefined, {
    openFile: openNoted,
  });
  expect(calls).toEqual(['sync a/b/records', 'sync a/b', 'sync a', 'sync ']);
  calls = [];
  await file.append(Buffer.from('1\n'));
  expect(calls).toEqual(['synced write a/b/records']);
  await file.close();
});

it('syncs the directories below a base that were there, too: who made them may have been killed before it did', async () => {
  mkdirSync(join(directory, 'a/b'), { recursive: true });
  const options = { base: join(directory, 'a'), openFile: openNoted };
  const file = await AppendFile.open(join(directory, 'a/b/records'), () => undefined, options);
  expect(calls).toEqual(['sync a/b/records', 'sync a/b', 'sync a']);
  await file.close();
});

it('syncs a file that it goes on with before anything is appended, and a repair of it', async () => {
  const path = join(directory, 'records');
  appendFileSync(path, '1\ntorn');
  const file = await AppendFile.open(path, () => undefined, { openFile: openNoted });
  expect(calls).toEqual(['truncate records', 'sync records', 'sync ']);
  expect(readFileSync(path, 'utf8')).toBe('1\n');
  await file.close();
});
