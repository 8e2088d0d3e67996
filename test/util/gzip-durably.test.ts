import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type GzipFs, gzipDurably } from '../../src/util/gzip-durably.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'frostbeat-gzip-'));
  path = join(directory, 'records');
  writeFileSync(path, 'one\ntwo\n');
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Does all that it is asked to, and notes what decides on what a power loss leaves; the call of that number fails. */
function watched(calls: string[], failAt = Infinity): GzipFs {
  const call = (what: string, of: unknown) => {
    calls.push(`${what} ${String(of) === directory ? '.' : basename(String(of))}`);
    if (calls.length === failAt) throw new Error('EIO: for the test');
  };
  return {
    open: async (of, ...rest) =>
      new Proxy(await open(of, ...rest), {
        get: (handle: FileHandle, name) => {
          if (name === 'sync') call('sync', of);
          const value: unknown = Reflect.get(handle, name, handle);
          return typeof value === 'function' ? (value.bind(handle) as unknown) : value;
        },
      }),
    rename: async (from, to) => {
      call('rename', from);
      await rename(from, to);
    },
    rm: async (of) => {
      call('rm', of);
      await rm(of);
    },
  };
}

it('has the compressed file synced, then its name, before the plain one goes', async () => {
  const calls: string[] = [];
  await gzipDurably(path, watched(calls));
  expect(calls).toEqual(['sync records.gz.tmp', 'rename records.gz.tmp', 'sync .', 'rm records']);
  expect(gunzipSync(readFileSync(`${path}.gz`)).toString()).toBe('one\ntwo\n');
});

it.each([1, 2, 3, 4])('leaves the plain file where call %i fails', async (failAt) => {
  await expect(gzipDurably(path, watched([], failAt))).rejects.toThrow('EIO');
  expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n');
});

it('keeps age and mode, and leaves nothing else behind', async () => {
  chmodSync(path, 0o600);
  utimesSync(path, 1_700_000_000, 1_700_000_000);
  await gzipDurably(path);
  const { mode, mtimeMs } = statSync(`${path}.gz`);
  expect([mode & 0o777, mtimeMs]).toEqual([0o600, 1_700_000_000_000]);
  expect(readdirSync(directory)).toEqual(['records.gz']);
});
