import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { KeepLooking } from '../../src/pods/keep-looking.ts';
import { steadyNow } from '../../src/util/steady-now.ts';
import { until } from '../support/until.ts';

/** Longer ago than the file system's clock is coarse. */
const LONG_AGO_MS = 60_000;

describe('up to when the entries of a directory are known', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
  afterEach(() => void vi.useRealTimers());

  it('is now, where nothing has changed since the last look', async () => {
    const { looking, looked } = await setUp({ oldMs: LONG_AGO_MS });
    const asked = steadyNow();
    expect(looking.seenTo()).toBeGreaterThanOrEqual(asked);
    expect(looked()).toBe(1);
  });

  it('is before a wish to look again, until that look is over: what is wished may not show in the directory', async () => {
    const { looking, looked, gate } = await setUp({ oldMs: LONG_AGO_MS });
    gate.open = false;
    const before = looking.seenTo();
    looking.wake();
    expect(looking.seenTo()).toBe(before);
    await until(() => looked() === 2, { what: 'another look' });
    const during = steadyNow();
    expect(looking.seenTo()).toBe(before);
    gate.open = true;
    await until(() => looking.lastSeenTo > before, { what: 'the end of that look' });
    // Not later than it began: it need not have seen what appeared meanwhile.
    expect(looking.lastSeenTo).toBeLessThanOrEqual(during);
  });

  it('is no later than the last look where the directory changed right before it: the clock of its times is coarse', async () => {
    const { looking, looked, lookedAt } = await setUp({ oldMs: 0 });
    await sleep(5);
    expect(looking.seenTo()).toBeLessThanOrEqual(lookedAt());
    await until(() => looked() > 1, { what: 'another look' });
  });

  it('is no later than the last look where an entry has appeared since, and soon is', async () => {
    const { looking, lookedAt, directory, gate } = await setUp({ oldMs: LONG_AGO_MS });
    gate.open = false;
    const before = looking.seenTo();
    mkdirSync(join(directory, 'new'));
    await sleep(5);
    expect(looking.seenTo()).toBe(before);
    gate.open = true;
    await until(() => looking.lastSeenTo > before && lookedAt() > before, { what: 'a look at it' });
  });

  it('is no later than the last look where the rights of the directory have changed: it may be seen only now', async () => {
    const { looking, directory } = await setUp({ oldMs: LONG_AGO_MS });
    const before = looking.seenTo();
    chmodSync(directory, 0o750);
    expect(looking.seenTo()).toBe(before);
  });

  it('stays where it was while the entries cannot be seen', async () => {
    const { looking, looked, gate } = await setUp({ oldMs: LONG_AGO_MS });
    gate.seesAll = false;
    const before = looking.seenTo();
    looking.wake();
    await until(() => looked() > 1, { what: 'a look that sees nothing' });
    await sleep(5);
    expect(looking.seenTo()).toBe(before);
    expect(looking.lastSeenTo).toBe(before);
  });
});

/** Looking at a directory that last changed so long ago, after the first look at it. */
async function setUp({ oldMs }: { readonly oldMs: number }) {
  const directory = mkdtempSync(join(tmpdir(), 'keep-looking-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  vi.setSystemTime(Date.now() + oldMs);
  const gate = { open: true, seesAll: true };
  let looks = 0;
  let at = -Infinity;
  const looking = new KeepLooking({
    path: directory,
    linkAllowed: false,
    look: async () => {
      looks += 1;
      at = steadyNow();
      await until(() => gate.open, { what: 'an open gate', timeoutMs: 20_000 });
      return gate.seesAll;
    },
    watched: () => false,
    rescanMs: 60_000,
    missingMs: 60_000,
    onError: () => undefined,
  });
  const stop = new AbortController();
  const running = looking.run(stop.signal);
  onTestFinished(async () => {
    gate.open = true;
    stop.abort();
    await running;
  });
  await until(() => looking.lastSeenTo > -Infinity, { what: 'the first look' });
  return { looking, directory, gate, looked: () => looks, lookedAt: () => at };
}
