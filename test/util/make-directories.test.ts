import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeDirectories } from '../../src/util/make-directories.ts';

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'frostbeat-directories-'))));
afterEach(() => rmSync(directory, { recursive: true }));

it('makes what is missing and tells the topmost that it made', () => {
  expect(makeDirectories(join(directory, 'a/b/c'))).toBe(join(directory, 'a'));
  expect(statSync(join(directory, 'a/b/c')).isDirectory()).toBe(true);
  expect(makeDirectories(join(directory, 'a/b/d'))).toBe(join(directory, 'a/b/d'));
  expect(makeDirectories(join(directory, 'a/b'))).toBeUndefined();
});

it('refuses a path that a file is in the way of', () => {
  writeFileSync(join(directory, 'file'), '');
  expect(() => makeDirectories(join(directory, 'file'))).toThrow(/EEXIST/);
  expect(() => makeDirectories(join(directory, 'file/a'))).toThrow(/ENOTDIR/);
});

it('comes back where no directory can be made, as in /proc', () => {
  expect(() => makeDirectories('/proc/frostbeat/state')).toThrow(/ENOENT/);
});
