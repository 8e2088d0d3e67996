import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadOffsets, type SavedOffsets } from '../../src/offsets/offsets-file.ts';

let stateDir: string;
let path: string;
let said: { level: number; msg: string }[];
const log = pino(
  { level: 'info' },
  { write: (line: string) => said.push(JSON.parse(line) as { level: number; msg: string }) },
);
const good: SavedOffsets = {
  version: 1,
  savedAt: '2026-11-23T05:30:57.000Z',
  containers: { 'ns_pod_uid/app': { files: { abc: { offset: 7, name: '0.log', size: 9 } } } },
  gaps: [],
};

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'frostbeat-offsets-'));
  path = join(stateDir, 'offsets.json');
  said = [];
});
afterEach(() => rmSync(stateDir, { recursive: true }));

describe('loadOffsets', () => {
  it('takes a missing file as a first start, and says nothing', async () => {
    expect(await loadOffsets(stateDir, log)).toBeUndefined();
    expect(said).toEqual([]);
  });

  it('reads what was saved', async () => {
    writeFileSync(path, JSON.stringify(good));
    expect(await loadOffsets(stateDir, log)).toEqual(good);
  });

  it.each([
    ['empty', ''],
    ['garbage', '\0\0\xff{'],
    ['no object', '17'],
    ['null', 'null'],
    ['of a later version', JSON.stringify({ ...good, version: 2 })],
    ['without containers', JSON.stringify({ ...good, containers: undefined })],
    ['with containers of another kind', JSON.stringify({ ...good, containers: [1, null] })],
    ['with a file of another kind', JSON.stringify({ ...good, containers: { a: { files: { b: 5 } } } })],
    ['with gaps of another kind', JSON.stringify({ ...good, gaps: 'none' })],
    ['with an offset that is none', JSON.stringify(good).replace('"offset":7', '"offset":-7')],
    ['with half an offset', JSON.stringify(good).replace('"offset":7', '"offset":7.5')],
  ])('sets one aside that is %s, says so, and begins anew', async (_, content) => {
    writeFileSync(path, content);
    expect(await loadOffsets(stateDir, log)).toBeUndefined();
    const names = readdirSync(stateDir);
    expect(names).toEqual([expect.stringMatching(/^offsets\.json\.unreadable-\d+$/)]);
    expect(readFileSync(join(stateDir, names[0]!), 'utf8')).toBe(Buffer.from(content).toString('utf8'));
    expect(said).toMatchObject([{ level: 50, msg: expect.stringContaining('set aside') as string }]);
  });

  it('sets one aside that is cut off at any byte', async () => {
    const whole = JSON.stringify(good);
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(path, whole);
      truncateSync(path, length);
      expect(await loadOffsets(stateDir, log)).toBeUndefined();
    }
  });

  it('does not start over one that it can neither read nor set aside', async () => {
    rmSync(stateDir, { recursive: true });
    writeFileSync(stateDir, 'no directory');
    await expect(loadOffsets(stateDir, log)).rejects.toThrow('Cannot read the offsets');
  });
});
