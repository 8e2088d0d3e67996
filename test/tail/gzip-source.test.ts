import { closeSync, fstatSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GzipSource } from '../../src/tail/gzip-source.ts';

describe('a compressed file', () => {
  let directory: string;
  let fd: number;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'frostbeat-gzip-'));
    writeFileSync(join(directory, 'log.gz'), gzipSync('hello\n'.repeat(100_000)));
    fd = openSync(join(directory, 'log.gz'), 'r');
  });
  afterEach(() => {
    closeSync(fd);
    rmSync(directory, { recursive: true });
  });

  it.each([
    ['before it was read', 0],
    ['in the middle', 2],
    ['after its end', Infinity],
  ])('leaves its descriptor open when its reading ends %s', async (_when, pieces) => {
    const source = new GzipSource(fd, 0);
    for (let i = 0; i < pieces && (await source.read()) !== undefined; i++);
    source.close();
    // A stream closes in the thread pool: there is nothing to wait for where it rightly does not.
    await sleep(50);
    expect(fstatSync(fd).size).toBeGreaterThan(0);
  });
});
