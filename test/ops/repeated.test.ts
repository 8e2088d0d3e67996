import { afterEach, describe, expect, it, vi } from 'vitest';
import { createLog } from '../../src/ops/log.ts';
import { Repeated } from '../../src/ops/repeated.ts';

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly times?: number;
  readonly forSeconds?: number;
  readonly path?: string;
}

async function start() {
  const lines: Line[] = [];
  let nowMs = 0;
  const log = await createLog({
    level: 'info',
    pretty: false,
    destination: { write: (line) => void lines.push(JSON.parse(line) as Line) },
  });
  const repeated = new Repeated(log, { everyMs: 10_000, now: () => nowMs });
  return { lines, repeated, pass: (ms: number) => (nowMs += ms) };
}

describe('Repeated', () => {
  afterEach(() => void vi.useRealTimers());

  it('says a problem once, again after a while with the count, and its end', async () => {
    const { lines, repeated, pass } = await start();
    for (let second = 0; second <= 12; second += 1) {
      repeated.problem('etcd', 'Cannot write: etcd is not reachable', { path: 'x' });
      pass(1_000);
    }
    repeated.resolved('etcd', 'Writing again');

    expect(lines).toMatchObject([
      { level: 'warn', msg: 'Cannot write: etcd is not reachable', path: 'x' },
      { level: 'warn', msg: 'Cannot write: etcd is not reachable', times: 11, forSeconds: 10 },
      { level: 'info', msg: 'Writing again', times: 13, forSeconds: 13 },
    ]);
    expect(lines).toHaveLength(3);
    expect(lines[0]).not.toHaveProperty('times');
  });

  it('says at once when the problem changes, but folds one that flaps', async () => {
    const { lines, repeated } = await start();
    for (let turn = 0; turn < 50; turn += 1) {
      repeated.problem('etcd', 'refused');
      repeated.problem('etcd', 'timed out');
    }
    expect(lines.map((line) => line.msg)).toEqual(['refused', 'timed out']);
    repeated.problem('etcd', 'no space');
    expect(lines.at(-1)).toMatchObject({ msg: 'no space', times: 101 });
  });

  it('keeps keys apart and begins anew after the end', async () => {
    const { lines, repeated } = await start();
    repeated.problem('a', 'bad');
    repeated.problem('b', 'bad');
    repeated.resolved('a', 'good');
    repeated.problem('a', 'bad');
    expect(lines.map((line) => line.msg)).toEqual(['bad', 'bad', 'good', 'bad']);
    expect(lines.at(-1)).not.toHaveProperty('times');
  });

  it('says nothing of the end of what was never a problem', async () => {
    const { lines, repeated } = await start();
    repeated.resolved('a', 'good');
    expect(lines).toEqual([]);
  });

  it('forgets the oldest of too many problems', async () => {
    const { lines, repeated } = await start();
    for (let key = 0; key < 1_001; key += 1) repeated.problem(`key ${key}`, 'bad');
    repeated.resolved('key 0', 'good');
    repeated.resolved('key 1', 'good');
    expect(lines.filter((line) => line.msg === 'good')).toHaveLength(1);
  });

  it('tells what it folded even when the problem is not met any more', async () => {
    vi.useFakeTimers();
    const { lines, repeated, pass } = await start();
    for (let turn = 0; turn < 5; turn += 1) repeated.problem('letters', 'refused', { turn }, 'error');
    pass(10_000);
    vi.advanceTimersByTime(10_000);
    expect(lines).toMatchObject([
      { level: 'error', msg: 'refused', turn: 0 },
      { level: 'error', msg: 'refused', turn: 4, times: 5, forSeconds: 10 },
    ]);
    pass(60_000);
    vi.advanceTimersByTime(60_000);
    expect(lines).toHaveLength(2);
    expect(vi.getTimerCount()).toBe(0);
  });
});
