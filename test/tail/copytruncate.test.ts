import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { DrivenContainer, type DrivenStep } from '../support/driven-container.ts';

beforeAll(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterAll(() => void vi.useRealTimers());

const steps: Readonly<Record<string, readonly DrivenStep[]>> = {
  write: [{ kind: 'write', stream: 'stdout', count: 1 }],
  piece: [{ kind: 'piece', stream: 'stdout' }],
  read: [{ kind: 'look' }, { kind: 'read', pieces: 4 }],
  copytruncate: [{ kind: 'copytruncate' }],
};

it.each([
  'write, read, write, copytruncate, piece, copytruncate',
  'write, read, piece, copytruncate, piece, copytruncate',
  'write, read, piece, copytruncate, write, copytruncate',
  'piece, read, write, copytruncate, piece, copytruncate',
  'piece, read, write, copytruncate, write, copytruncate',
  'piece, read, piece, copytruncate, write, copytruncate',
])('copytruncate twice between two looks loses nothing, nor the record that it cuts: %s', async (script) => {
  const container = new DrivenContainer((now) => vi.setSystemTime(now));
  try {
    for (const name of script.split(', ')) for (const step of steps[name]!) await container.take(step);
    await container.rest();
    expect([...container.settled].toSorted()).toEqual([...container.written.keys()].toSorted());
    expect(container.gaps).toEqual([]);
    expect(container.falselyClaimed).toEqual([]);
  } finally {
    await container.end();
  }
});
