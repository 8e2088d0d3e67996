import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Log } from '../../src/ops/log.ts';
import { createMetrics } from '../../src/ops/metrics.ts';
import { Reporter } from '../../src/watermark/reporter.ts';
import type { Mark } from '../../src/watermark/watermark.ts';
import type { NodeReport } from '../../src/writers/node-report.ts';
import { until } from '../support/until.ts';

const now = Date.now();
const iso = (at: number) => new Date(at).toISOString().replace('Z', '000000Z');

describe('what an agent tells of its node', () => {
  it('is never before what an earlier run told, and goes on from there', async () => {
    const { told, mark } = setUp({ earlier: now - 5_000 });
    expect((await told(1)).watermark).toBe(iso(now - 5_000));
    mark.at = now - 9_000;
    expect((await told(2)).watermark).toBe(iso(now - 5_000));
    mark.at = now - 1_000;
    expect((await told(2)).watermark).toBe(iso(now - 1_000));
  });

  it('does not go on from a time that is still to come: the clock was set back, and lines of then may come', async () => {
    const { told, mark } = setUp({ earlier: now + 3_600_000 });
    expect((await told(1)).watermark).toBeNull();
    mark.at = now - 1_000;
    expect((await told(2)).watermark).toBe(iso(now - 1_000));
  });

  it('is rounded down, since the time itself need not be covered', async () => {
    const { told, mark } = setUp();
    mark.at = now + 0.9;
    expect((await told(2)).watermark).toBe(iso(now));
  });

  it('is told of nothing before it is known what an earlier run told', async () => {
    const { reports, told, store } = setUp({ earlier: now - 5_000 });
    store.answers = false;
    await until(() => store.asked > 2, { what: 'questions' });
    expect(reports).toEqual([]);
    store.answers = true;
    expect((await told(1)).watermark).toBe(iso(now - 5_000));
  });

  it('is told seldom where that is asked for, counts as heard for as long, and has its last word all the same', async () => {
    const { reports, told, stop, store, reporter } = setUp({ everyMs: 20_000 });
    expect((await told(1)).leaseSeconds).toBe(60);
    const { looks } = store;
    await until(() => store.looks > looks + 5, { what: 'more looks' });
    expect(reports).toHaveLength(1);
    await stop();
    await reporter.end(true);
    expect(reports.at(-1)).toMatchObject({ stopped: true });
  });

  it('says at the end whether all that was read is stored, and has the containers of before the stop', async () => {
    const { reports, told, stop, reporter } = setUp();
    await told(1);
    await stop();
    await reporter.end(false);
    expect(reports.at(-1)).toMatchObject({ stopped: false, containers: 3 });
    await reporter.end(true);
    expect(reports.at(-1)).toMatchObject({ stopped: true, containers: 3 });
    expect(reports.slice(0, -1).every(({ stopped }) => !stopped)).toBe(true);
  });
});

/**
 * A reporter that tells a store of the test's own each few milliseconds.
 *
 * @param earlier what that was told before.
 * @param everyMs how seldom it is to be told.
 */
function setUp({ earlier, everyMs = 0 }: { readonly earlier?: number; readonly everyMs?: number } = {}) {
  const reports: NodeReport[] = [];
  const store = { answers: true, asked: 0, looks: 0 };
  const mark: { -readonly [K in keyof Mark]: Mark[K] } = {
    at: undefined,
    lagSeconds: undefined,
    restsOn: '',
  };
  const stopping = new AbortController();
  const ended = new AbortController();
  const reporter = new Reporter({
    watermark: {
      now: () => {
        store.looks += 1;
        return mark;
      },
    },
    destinations: async () =>
      await Promise.resolve([
        {
          name: 'etcd',
          everyMs,
          last: async () => {
            store.asked += 1;
            await Promise.resolve();
            if (!store.answers) throw new Error('the store is down');
            return earlier === undefined ? undefined : ({ watermark: iso(earlier) } as NodeReport);
          },
          publish: async (report: NodeReport) => {
            await Promise.resolve();
            reports.push(report);
          },
          check: async () => await Promise.resolve(undefined),
        },
      ]),
    node: 'n1',
    writers: ['etcd'],
    version: '0',
    startedAt: new Date(now),
    periodMs: 2,
    leaseMs: 15_000,
    containers: () => (stopping.signal.aborted ? 0 : 3),
    gaps: () => ({ gaps: [], leftOut: 0 }),
    stopping: stopping.signal,
    fails: () => false,
    log: { warn: vi.fn<() => void>(), info: vi.fn<() => void>() } as unknown as Log,
    metrics: createMetrics(),
  });
  const running = reporter.run(ended.signal);
  const stop = async () => {
    stopping.abort();
    ended.abort();
    await running;
  };
  onTestFinished(stop);
  return {
    reporter,
    reports,
    store,
    mark,
    stop,
    /** The report that comes so many reports from now. */
    told: async (next: number) => {
      const wanted = reports.length + next;
      await until(() => reports.length >= wanted, { what: 'a report' });
      return reports[wanted - 1]!;
    },
  };
}
