import pino from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FollowedContainer } from '../../src/pods/followed-container.ts';
import type { MakeTailOptions } from '../../src/pods/tail.ts';
import { steadyNow } from '../../src/util/steady-now.ts';
import { FakeTails } from '../support/fake-tail.ts';
import { until } from '../support/until.ts';

describe('up to when what a container wrote is in the care of a tail', () => {
  it('has no end while one follows it, or while it is not wanted', () => {
    const { container } = setUp();
    expect(container.seenTo).toBe(Infinity);
    container.drain();
    expect(container.seenTo).toBe(Infinity);
  });

  it('is when it was wanted again, as long as the tail that is drained does not go on and there is no other', async () => {
    const { container, tails, made } = setUp();
    container.drain();
    const before = steadyNow();
    container.keep();
    const wantedAt = container.seenTo;
    expect(wantedAt).toBeGreaterThanOrEqual(before);
    expect(wantedAt).toBeLessThanOrEqual(steadyNow());
    // Wanted since then, however often that is said.
    await until(() => steadyNow() > wantedAt + 2, { what: 'a later time' });
    container.keep();
    expect(container.seenTo).toBe(wantedAt);
    tails.all[0]?.end();
    await until(() => made.length === 2, { what: 'another tail' });
    expect(container.seenTo).toBe(Infinity);
    // That one answers for all since: what it finds there may be as old.
    expect(made[1]?.since).toBe(wantedAt);
  });

  it('has no end again where it is not wanted after all', () => {
    const { container } = setUp();
    container.drain();
    container.keep();
    container.drain();
    expect(container.seenTo).toBe(Infinity);
  });

  it('is not known while a tail that failed is made anew, nor what was there before', async () => {
    const { container, tails, made } = setUp();
    tails.all[0]?.fail(new Error('a bug'));
    await until(() => container.seenTo === -Infinity, { what: 'a time that is not known' });
    await until(() => made.length === 2, { what: 'another tail' });
    expect(made[1]?.since).toBe(-Infinity);
    expect(container.seenTo).toBe(Infinity);
  });
});

/** A container that runs, with tails that end when they are told to, and do not go on once they are drained. */
function setUp() {
  const tails = new FakeTails();
  tails.endWhenDrained = false;
  tails.resume = false;
  const made: MakeTailOptions[] = [];
  const container = new FollowedContainer({
    target: { namespace: 'n', pod: 'p', uid: 'u', container: 'c', directory: '/nowhere/c' },
    makeTail: (target, options) => {
      made.push(options);
      return tails.make(target, options);
    },
    log: pino({ level: 'silent' }),
    held: false,
    since: -Infinity,
    restartMs: 50,
  });
  const stop = new AbortController();
  const running = container.run(stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await running;
  });
  return { container, tails, made };
}
