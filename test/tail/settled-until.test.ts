import type * as fs from 'node:fs';
import { symlinkSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DrivenContainer, type DrivenStep, type Interruption } from '../support/driven-container.ts';

/** Called after each call of the file system that the tail makes: what happens then comes between two of them. */
const between = vi.hoisted(() => ({ calls: () => {} }));

vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>();
  return {
    ...real,
    fstatSync: followed(real.fstatSync),
    statSync: followed(real.statSync),
    readdirSync: followed(real.readdirSync),
    openSync: followed(real.openSync),
    readSync: followed(real.readSync),
  };
});

function followed<T extends (...args: never[]) => unknown>(call: T): T {
  return ((...args: never[]) => {
    const result = call(...args);
    between.calls();
    return result;
  }) as T;
}

beforeAll(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterAll(() => void vi.useRealTimers());

function driven(interruptions: readonly Interruption[] = [], options = {}): DrivenContainer {
  const container = new DrivenContainer((now) => vi.setSystemTime(now), interruptions, options);
  between.calls = () => container.called();
  return container;
}

const of = <K extends DrivenStep['kind']>(kind: K): fc.Arbitrary<K> => fc.constant(kind);
const stream = fc.constantFrom('stdout' as const, 'stderr' as const);

/** What the container, its runtime and the kubelet do. */
const life: fc.WeightedArbitrary<DrivenStep>[] = [
  { weight: 6, arbitrary: fc.record({ kind: of('write'), stream, count: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: of('write'), stream, count: fc.constant(30) }) },
  { weight: 1, arbitrary: fc.record({ kind: of('noise') }) },
  { weight: 2, arbitrary: fc.record({ kind: of('piece'), stream }) },
  { weight: 2, arbitrary: fc.record({ kind: of('tear'), at: fc.nat(200) }) },
  { weight: 6, arbitrary: fc.record({ kind: of('rotate'), late: fc.nat(3) }) },
  { weight: 4, arbitrary: fc.record({ kind: of('compress') }) },
  { weight: 1, arbitrary: fc.record({ kind: of('copytruncate') }) },
  { weight: 4, arbitrary: fc.record({ kind: of('remove oldest') }) },
  { weight: 1, arbitrary: fc.record({ kind: of('next run') }) },
];

const step: fc.Arbitrary<DrivenStep> = fc.oneof(
  ...life,
  { weight: 6, arbitrary: fc.record({ kind: of('wait'), ms: fc.nat(900) }) },
  { weight: 4, arbitrary: fc.record({ kind: of('wait'), ms: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: of('wait'), ms: fc.integer({ min: 1_000, max: 20_000 }) }) },
  { weight: 14, arbitrary: fc.record({ kind: of('look') }) },
  { weight: 10, arbitrary: fc.record({ kind: of('read'), pieces: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: of('settle'),
      picks: fc.array(fc.nat(50), { maxLength: 6 }),
      refused: fc.boolean(),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: of('settle all') }) },
  { weight: 1, arbitrary: fc.record({ kind: of('release') }) },
  { weight: 2, arbitrary: fc.record({ kind: of('park') }) },
);

const interruption: fc.Arbitrary<Interruption> = fc.record({
  calls: fc.nat(150),
  step: fc.oneof(...life, { weight: 3, arbitrary: fc.record({ kind: of('wait'), ms: fc.nat(6) }) }),
});

/** More runs and another seed by the environment: MODEL_RUNS=20000 MODEL_SEED=1 */
const numRuns = Number(process.env['MODEL_RUNS'] ?? 300);
const seed = process.env['MODEL_SEED'];

describe('the time until which all of a container is settled', () => {
  it(
    'is never later than a record that is not settled, whatever happens between any two calls of the system',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }),
          fc.array(interruption, { maxLength: 12 }),
          fc.boolean(),
          async (steps, interruptions, held) => {
            const container = driven(interruptions, { held });
            try {
              let last = -Infinity;
              for (const next of steps) {
                await container.take(next);
                const until = container.check();
                expect(until).toBeGreaterThanOrEqual(last);
                last = until;
              }
              await container.rest();
              expect(container.now - container.check()).toBeLessThan(6_000);
              expect(container.falselyClaimed).toEqual([]);
            } finally {
              await container.end();
            }
          },
        ),
        { numRuns, endOnFailure: false, ...(seed === undefined ? {} : { seed: Number(seed) }) },
      );
    },
    60_000 + numRuns * 100,
  );

  it('waits for what copytruncate moves, at any moment of a look, out of a file that was empty until then', async () => {
    for (let calls = 8; calls < 24; calls++) {
      const container = driven([{ calls, step: { kind: 'copytruncate' } }]);
      await passes(container, [look, look, { kind: 'write', stream: 'stdout', count: 3 }, wait(1_000), look]);
      container.check();
      await container.rest();
      expect(container.falselyClaimed).toEqual([]);
      expect(container.settled.size).toBe(3);
      await container.end();
    }
  });

  it('waits for what copytruncate moves, at any moment of a look, out of an empty file that was left closed', async () => {
    for (let calls = 4; calls < 24; calls++) {
      const container = driven([{ calls, step: { kind: 'copytruncate' } }]);
      await passes(container, [look, { kind: 'park' }, write, wait(1_000), look]);
      container.check();
      await container.rest();
      expect(container.falselyClaimed).toEqual([]);
      expect(container.settled.size).toBe(container.written.size);
      await container.end();
    }
  });

  it('goes on with the copy, at any moment of a look, of a file that is closed for others then', async () => {
    for (let calls = 8; calls < 40; calls++) {
      const container = driven([{ calls, step: { kind: 'copytruncate' } }]);
      await passes(container, [write, look, wait(1_000), look, { kind: 'park' }, look]);
      await container.rest();
      expect(container.settled.size).toBe(container.written.size);
      expect(container.gaps).toEqual([]);
      expect(container.now - container.check()).toBeLessThan(6_000);
      await container.end();
    }
  });

  it('waits for what copytruncate moves, at any moment of a listing, out of a file that is read', async () => {
    for (let calls = 10; calls < 40; calls++) {
      const container = driven([{ calls, step: { kind: 'copytruncate' } }]);
      await passes(container, [look, write, wait(1_000), look, read, { kind: 'settle all' }]);
      await passes(container, [wait(31_000), write, look]);
      container.check();
      await container.rest();
      expect(container.falselyClaimed).toEqual([]);
      expect(container.settled.size).toBe(container.written.size);
      expect(container.gaps).toEqual([]);
      await container.end();
    }
  });

  it('goes on behind a copy whose source stays empty, though a record in it has no end', async () => {
    for (let calls = 8; calls < 40; calls++) {
      const container = driven([{ calls, step: { kind: 'copytruncate' } }]);
      await passes(container, [
        look,
        write,
        { kind: 'piece', stream: 'stdout' },
        wait(1_000),
        look,
        read,
        look,
        read,
      ]);
      for (let i = 0; i < 20; i++) await passes(container, [{ kind: 'settle all' }, wait(500), look, read]);
      expect(container.now - container.check()).toBeLessThan(6_000);
      await container.end();
    }
  });

  it('stands still while a line waits for the store, and goes on when it is settled', async () => {
    const container = driven();
    await passes(container, [write, wait(1_000), look, read, wait(9_000), look]);
    expect(container.now - container.check()).toBeGreaterThan(9_000);
    await passes(container, [{ kind: 'settle all' }]);
    expect(container.now - container.check()).toBeLessThan(1_000);
    await container.end();
  });

  it('waits five seconds for the end of a record, and no longer', async () => {
    const container = driven();
    await passes(container, [write, look, read, { kind: 'settle all' }, wait(1_000), look]);
    await passes(container, [{ kind: 'piece', stream: 'stdout' }, wait(600), look, read, wait(600), look]);
    expect(container.now - container.check()).toBeGreaterThan(1_000);
    await passes(container, [wait(4_900)]);
    expect(container.now - container.check()).toBeLessThan(5_000 + 1_000);
    await container.end();
  });

  it('waits for what is in flight of a file that is gone', async () => {
    const container = driven();
    await passes(container, [write, wait(600), look, read]);
    const before = container.check();
    await passes(container, [{ kind: 'rotate', late: 0 }, wait(600), look, read, wait(600), look, read]);
    await passes(container, [{ kind: 'remove oldest' }]);
    for (let i = 0; i < 20; i++) await passes(container, [wait(600), look, read]);
    expect(container.tail.files.ordered.length).toBe(0);
    expect(container.check()).toBe(before);
    await passes(container, [{ kind: 'settle all' }, wait(600), look]);
    expect(container.now - container.check()).toBeLessThan(1_000);
    await container.end();
  });

  it('stands still while a file may not be read', async () => {
    const container = driven();
    await passes(container, [write, look, read, { kind: 'settle all' }, wait(600), look]);
    const before = container.check();
    symlinkSync('/etc/hostname', container.dir.file('1.log'));
    await passes(container, [wait(600), look, wait(600), look, read, wait(9_000), look]);
    expect(container.check()).toBeLessThanOrEqual(before + 600);
    await container.end();
  });

  it('is no bound any more once the container is read to its end, and all of it settled', async () => {
    const container = driven();
    await passes(container, [write, look, read, { kind: 'drain' }]);
    for (let i = 0; i < 20; i++) await passes(container, [wait(500), look, read]);
    expect(container.tail.settledUntil.ended).toBe(true);
    expect(container.check()).toBeLessThan(container.now - 9_000);
    await passes(container, [{ kind: 'settle all' }]);
    expect(container.check()).toBe(Infinity);
    await container.end();
  });

  it('is no bound any more where the container turns out not to be wanted', async () => {
    const container = driven([], { held: true });
    await passes(container, [write, wait(5_000), look, read]);
    expect(container.check()).toBe(-Infinity);
    container.tail.letGo();
    await container.tailEnded;
    expect(container.check()).toBe(Infinity);
    await container.end();
  });

  it('stays as it was where the agent stops while it is not known whether the container is wanted', async () => {
    const container = driven([], { held: true });
    await passes(container, [write, wait(5_000), look]);
    const before = container.check();
    await container.end();
    container.now += 60_000;
    expect(container.check()).toBe(before);
  });

  it('stays as it was where the agent stops', async () => {
    const container = driven();
    await passes(container, [
      write,
      look,
      read,
      { kind: 'settle all' },
      wait(600),
      look,
      write,
      wait(600),
      look,
    ]);
    const before = container.check();
    await container.end();
    container.now += 60_000;
    expect(container.check()).toBe(before);
  });
});

const write: DrivenStep = { kind: 'write', stream: 'stdout', count: 3 };
const look: DrivenStep = { kind: 'look' };
const read: DrivenStep = { kind: 'read', pieces: 3 };
const wait = (ms: number): DrivenStep => ({ kind: 'wait', ms });

async function passes(container: DrivenContainer, steps: readonly DrivenStep[]): Promise<void> {
  for (const next of steps) await container.take(next);
}
