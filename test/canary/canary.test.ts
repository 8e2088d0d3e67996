import { describe, expect, it, onTestFinished } from 'vitest';
import { Canary } from '../../src/canary/canary.ts';
import { Lookout } from '../../src/canary/lookout.ts';
import type { Log } from '../../src/ops/log.ts';
import { createMetrics } from '../../src/ops/metrics.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeStore } from './fake-store.ts';

interface Line {
  readonly traceId: string;
  readonly time: string;
}

const at = (minute: number) => `frostbeat-canary-n1-20261124T03${String(minute).padStart(2, '0')}00.000Z`;

describe('the canary', () => {
  it('is written at each interval, a trace each time, and read back: how long that took is told', async () => {
    const { clock, written, etcd, counts, metrics } = setUp();
    await clock.advance(0);
    for (let n = 0; n < 3; n++) {
      expect(written).toHaveLength(n + 1);
      await clock.advance(2_000);
      etcd.put(written[n]!.traceId, written[n]!.time);
      await clock.advance(58_000);
    }
    expect(written.map(({ traceId }) => traceId)).toEqual([at(0), at(1), at(2), at(3)]);
    expect(counts()).toEqual({ sent: 4, received: 3, lost: 0, late: 0 });
    expect(await metrics()).toMatch('frostbeat_canary_seconds_sum{destination="etcd"} 6\n');
    expect(await metrics()).toMatch('frostbeat_canaries_received_total{destination="etcd"} 3\n');
  });

  it('is lost where it is not back in time, and late, not lost twice, where it comes then', async () => {
    const { clock, written, etcd, counts, said } = setUp();
    await clock.advance(30_000);
    expect(counts()).toEqual({ sent: 1, received: 0, lost: 1, late: 0 });
    await clock.advance(10_000);
    etcd.put(written[0]!.traceId, written[0]!.time);
    await clock.advance(1_000);
    expect(counts()).toEqual({ sent: 1, received: 0, lost: 1, late: 1 });
    await clock.advance(19_000);
    // Nothing is out: another trace.
    expect(written.map(({ traceId }) => traceId)).toEqual([at(0), at(1)]);
    expect(said).toHaveLength(1);
  });

  it('says once that canaries are lost and once that they come back, however many were lost', async () => {
    const { clock, written, etcd, counts, said } = setUp();
    await clock.advance(10 * 60_000);
    expect(said).toEqual([
      'warn: Canaries do not come back from etcd: one could not be read there within 30s',
    ]);
    // While some are lost, the next are lines of the same trace: one look waits for all.
    expect(new Set(written.map(({ traceId }) => traceId))).toEqual(new Set([at(0)]));
    expect(etcd.follows).toBe(1);
    for (const { traceId, time } of written) etcd.put(traceId, time);
    await clock.advance(60_000);
    expect(counts()).toEqual({ sent: 12, received: 1, lost: 10, late: 10 });
    expect(said).toHaveLength(2);
    expect(said[1]).toBe('info: Canaries come back from etcd again');
    expect(written.at(-1)?.traceId).toBe(at(11));
  });

  it('finds what was written before the store answered for the first time', async () => {
    const { clock, written, etcd, counts } = setUp({ up: false });
    await clock.advance(0);
    etcd.put(written[0]!.traceId, written[0]!.time);
    await clock.advance(5_000);
    expect(counts()).toMatchObject({ sent: 1, received: 0 });
    etcd.up = true;
    await clock.advance(2_000);
    expect(counts()).toMatchObject({ sent: 1, received: 1, lost: 0 });
  });

  it('gives one up that ten later ones have overtaken, and begins a new trace', async () => {
    const { clock, written, etcd, counts } = setUp();
    await clock.advance(60_000);
    for (let n = 1; n <= 10; n++) {
      etcd.put(written[n]!.traceId, written[n]!.time);
      await clock.advance(60_000);
    }
    expect(counts()).toEqual({ sent: 12, received: 10, lost: 1, late: 0 });
    expect(written.map(({ traceId }) => traceId)).toEqual([...Array<string>(11).fill(at(0)), at(11)]);
  });

  it('counts for each destination, and one that is down does not take the others’ from them', async () => {
    const { clock, written, etcd, kafka, counts } = setUp({ both: true });
    for (let n = 0; n < 4; n++) {
      await clock.advance(1_000);
      etcd.put(written[n]!.traceId, written[n]!.time);
      await clock.advance(59_000);
    }
    expect(counts('etcd')).toEqual({ sent: 5, received: 4, lost: 0, late: 0 });
    expect(counts('kafka')).toEqual({ sent: 5, received: 0, lost: 4, late: 0 });
    for (const { traceId, time } of written) kafka.put(traceId, time);
    await clock.advance(1_000);
    expect(counts('kafka')).toEqual({ sent: 5, received: 1, lost: 4, late: 4 });
  });

  it('is lost at once where it cannot be written, and says why', async () => {
    const { clock, counts, said, disk } = setUp();
    disk.full = true;
    await clock.advance(3 * 60_000);
    expect(counts()).toEqual({ sent: 4, received: 0, lost: 4, late: 0 });
    expect(said).toHaveLength(1);
  });

  it('ends at once when the agent stops, whatever it waits for, and is then neither lost nor back', async () => {
    const { clock, stop, counts, done } = setUp();
    await clock.advance(1_000);
    stop();
    await done;
    expect(counts()).toEqual({ sent: 1, received: 0, lost: 0, late: 0 });
  });
});

/** A canary a minute, waited for thirty seconds, at one destination or two. */
function setUp({ up = true, both = false } = {}) {
  const clock = new FakeClock();
  const metrics = createMetrics();
  const said: string[] = [];
  const say = (level: string) => (_: object, text: string) => {
    if (/etcd/.test(text)) said.push(`${level}: ${text}`);
  };
  const log = { warn: say('warn'), info: say('info') } as unknown as Log;
  const stores = { etcd: new FakeStore(), kafka: new FakeStore() };
  stores.etcd.up = up;
  const used = Object.entries(stores).slice(0, both ? 2 : 1);
  const lookouts = used.map(
    ([name, { reader }]) => new Lookout({ name, reader, timeoutMs: 30_000, clock, log, metrics }),
  );
  const written: Line[] = [];
  const disk = { full: false };
  const end = new AbortController();
  const canary = new Canary({
    node: 'n1',
    intervalMs: 60_000,
    timeoutMs: 30_000,
    clock,
    lookouts,
    log: {
      append: async (text) => {
        await Promise.resolve();
        if (disk.full) throw new Error('ENOSPC: no space left on device');
        written.push(JSON.parse(text) as Line);
      },
      close: async () => await Promise.resolve(),
    },
  });
  const done = canary.run(end.signal);
  onTestFinished(() => end.abort());
  return {
    clock,
    ...stores,
    written,
    said,
    disk,
    done,
    stop: () => end.abort(),
    metrics: async () => await metrics.scrape(),
    counts: (name = 'etcd') => lookouts.find((one) => one.name === name)?.counts,
  };
}
