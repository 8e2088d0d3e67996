import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Committer } from '../../src/offsets/committer.ts';
import { OffsetStore } from '../../src/offsets/offset-store.ts';
import type { SavedOffsets } from '../../src/offsets/offsets-file.ts';
import { until } from '../support/until.ts';

let stateDir: string;
let said: { level: number; msg: string }[];
let saves: number;
let failures: number;
let store: OffsetStore;
let stop: AbortController;

beforeEach(() => {
  stateDir = join(mkdtempSync(join(tmpdir(), 'frostbeat-commit-')), 'state');
  mkdirSync(stateDir);
  said = [];
  saves = failures = 0;
  store = new OffsetStore(undefined, () => true);
  stop = new AbortController();
});
afterEach(() => rmSync(join(stateDir, '..'), { recursive: true }));

function committer(write?: (path: string, content: string) => Promise<void>): Committer {
  const log = pino(
    { level: 'info' },
    { write: (line: string) => said.push(JSON.parse(line) as { level: number; msg: string }) },
  );
  return new Committer({
    store,
    stateDir,
    log,
    onSaved: () => saves++,
    onFailed: () => failures++,
    periodMs: 10,
    ...(write === undefined ? {} : { write }),
  });
}

const advance = (): void => {
  const window = store.follow('pod/app').window('file');
  window.settle(window.claim(window.readTo, window.readTo + 10), 'delivered');
};
const onDisk = (): number => {
  const saved = JSON.parse(readFileSync(join(stateDir, 'offsets.json'), 'utf8')) as SavedOffsets;
  return saved.containers['pod/app']!.files['file']!.offset;
};

describe('Committer', () => {
  it('saves when something changed, and only then', async () => {
    const running = committer().run(stop.signal);
    advance();
    await until(() => saves === 1, { what: 'a save' });
    expect(onDisk()).toBe(10);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(saves).toBe(1);
    advance();
    await until(() => saves === 2, { what: 'another save' });
    expect(onDisk()).toBe(20);
    stop.abort();
    await running;
  });

  it('goes on when STATE_DIR is full, says so once, keeps the old file, and saves as soon as it can', async () => {
    let full = false;
    const { writeDurably } = await import('../../src/util/write-durably.ts');
    const subject = committer(async (path, content) => {
      if (full) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      await writeDurably(path, content);
    });
    const running = subject.run(stop.signal);
    advance();
    await until(() => saves === 1, { what: 'a save' });
    full = true;
    advance();
    await until(() => failures >= 3, { what: 'failures' });
    expect(subject.failure).toContain('ENOSPC');
    expect(said.filter(({ level }) => level >= 50)).toHaveLength(1);
    expect(onDisk()).toBe(10);
    full = false;
    await until(() => saves === 2, { what: 'a save' });
    expect(onDisk()).toBe(20);
    expect(subject.failure).toBeUndefined();
    expect(said.at(-1)!.msg).toContain('saved again');
    stop.abort();
    await running;
  });

  it('goes on when STATE_DIR is gone or no directory any more', async () => {
    rmSync(stateDir, { recursive: true });
    writeFileSync(stateDir, '');
    const running = committer().run(stop.signal);
    advance();
    await until(() => failures >= 2, { what: 'failures' });
    rmSync(stateDir);
    mkdirSync(stateDir);
    await until(() => saves === 1, { what: 'a save' });
    expect(onDisk()).toBe(10);
    stop.abort();
    await running;
  });

  it('never saves as done a file of which a line is not settled', async () => {
    const offsets = store.follow('pod/app');
    const window = offsets.window('file');
    const claim = window.claim(0, 10);
    offsets.seen('file', '0.log', 10);
    offsets.finished('file', true);
    expect(offsets.toSaved().files['file']).toEqual({ offset: 0, name: '0.log', size: 10 });
    window.settle(claim, 'delivered');
    expect(offsets.toSaved().files['file']).toEqual({ offset: 10, name: '0.log', size: 10, done: true });
  });

  it('never saves as released a container of which a line is not settled', () => {
    const claim = store.follow('pod/app').window('file').claim(0, 10);
    store.release('pod/app');
    const next = () => new OffsetStore(store.snapshot(new Date()), () => true).remembered();
    expect(next()).toEqual(['pod/app']);
    claim.window.settle(claim, 'delivered');
    expect(next()).toEqual([]);
  });

  it('knows the containers of a pod of which something was left unread, be they released or not', () => {
    const file = { offset: 7, name: '0.log', size: 9 };
    const containers = {
      'pod/app': { files: { a: file } },
      'pod/let-go': { files: { a: { ...file, done: true as const }, b: file }, released: true as const },
      'pod/read': { files: { a: { ...file, done: true as const } }, released: true as const },
      'pod-2/app': { files: { a: file } },
    };
    store = new OffsetStore({ version: 1, savedAt: '', containers, gaps: [] }, () => true);
    expect(store.unread('pod')).toEqual(['app', 'let-go']);
    store.follow('pod/app').window('a');
    expect(store.unread('pod')).toEqual(['let-go']);
  });

  it('keeps what a pod excludes for as long as it keeps anything of the pod', () => {
    store = new OffsetStore(undefined, () => false);
    store.follow('pod/app');
    store.exclude('pod', ['proxy']);
    store.exclude('other', ['proxy']);
    const saved = store.snapshot(new Date());
    expect(saved.excluded).toEqual({ pod: ['proxy'] });
    const next = new OffsetStore(saved, () => false);
    expect([next.excluded('pod'), next.excluded('other')]).toEqual([['proxy'], []]);
    next.exclude('pod', []);
    expect(next.snapshot(new Date()).excluded).toBeUndefined();
  });

  it('keeps a released container until its lines are settled and its directory is gone', () => {
    let there = true;
    store = new OffsetStore(undefined, () => there);
    const window = store.follow('pod/app').window('file');
    const claim = window.claim(0, 10);
    store.release('pod/app');
    there = false;
    expect(store.snapshot(new Date()).containers).toHaveProperty(['pod/app']);
    window.settle(claim, 'delivered');
    there = true;
    expect(store.snapshot(new Date()).containers).toMatchObject({ 'pod/app': { released: true } });
    there = false;
    expect(store.snapshot(new Date()).containers).toEqual({});
    expect(store.ledger()).toMatchObject({ lines: 1, delivered: 1, imbalance: 0 });
  });
});
