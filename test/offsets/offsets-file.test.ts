import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OffsetStore } from '../../src/offsets/offset-store.ts';
import { loadOffsets, type SavedOffsets } from '../../src/offsets/offsets-file.ts';

const older = 'test/fixtures/offsets';
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
    ['of no version', JSON.stringify({ ...good, version: undefined })],
    ['of a version that never was', JSON.stringify({ ...good, version: 0 })],
    ['of a version that is no number', JSON.stringify({ ...good, version: '2' })],
    ['without containers', JSON.stringify({ ...good, containers: undefined })],
    ['with containers of another kind', JSON.stringify({ ...good, containers: [1, null] })],
    ['with a file of another kind', JSON.stringify({ ...good, containers: { a: { files: { b: 5 } } } })],
    ['with gaps of another kind', JSON.stringify({ ...good, gaps: 'none' })],
    ['with excluded of another kind', JSON.stringify({ ...good, excluded: { pod: 'none' } })],
    ['with unselected of another kind', JSON.stringify({ ...good, unselected: 'none' })],
    ['with no excluded', JSON.stringify({ ...good, excluded: null })],
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

  it.each(readdirSync(older))('reads what an older Frostbeat saved: %s', async (name) => {
    cpSync(join(older, name), path);
    const offsets = await loadOffsets(stateDir, log);
    expect(said).toEqual([]);
    const [followed, released] = Object.values(offsets?.containers ?? {});
    expect(followed?.released).toBeUndefined();
    expect(released?.released).toBe(true);
    expect(Object.values(followed?.files ?? {})).toMatchObject([
      { offset: 3823018, name: '12.log.20261124-102351', size: 3823018, done: true },
      { offset: 0, name: '14.log.20261124-102444', size: 6380234 },
      { offset: 0, name: '14.log', size: 28302 },
    ]);
    expect(offsets?.gaps).toHaveLength(2);
    expect(offsets?.gaps[0]).toMatchObject({ reason: 'removed_while_down', from: 42726, to: null });
  });

  it('has an older file of every version up to the one it writes', () => {
    const written = new OffsetStore(undefined, () => true).snapshot(new Date()).version;
    const versions = Array.from({ length: written }, (_, index) => `version-${index + 1}.json`);
    expect(readdirSync(older)).toEqual(versions);
  });

  it('leaves one of a later Frostbeat as it is, and says what can be done', async () => {
    const later = JSON.stringify({ ...good, version: 2, containers: { of: 'another form' } });
    writeFileSync(path, later);
    await expect(loadOffsets(stateDir, log)).rejects.toThrow(
      `${path} is version 2, of a later Frostbeat; this one reads up to 1. It is left as it is`,
    );
    expect(readFileSync(path, 'utf8')).toBe(later);
    expect(readdirSync(stateDir)).toEqual(['offsets.json']);
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
