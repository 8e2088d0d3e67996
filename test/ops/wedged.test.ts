import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Batch } from '../../src/batch/batch.ts';
import { Delivery } from '../../src/deliver/delivery.ts';
import { Committer } from '../../src/offsets/committer.ts';
import { OffsetStore } from '../../src/offsets/offset-store.ts';
import { Health } from '../../src/ops/health.ts';
import { ReadLoop } from '../../src/tail/read-loop.ts';
import { RetryAfterError } from '../../src/writers/log-writer.ts';
import { until } from '../support/until.ts';

const log = pino({ level: 'silent' });
const never = async () => await new Promise<never>(() => undefined);
let stop: AbortController;
beforeEach(() => {
  stop = new AbortController();
});
afterEach(() => {
  stop.abort();
  vi.useRealTimers();
});

describe('liveness fails when', () => {
  it('a file is read for ever', async () => {
    let now = 0;
    const health = new Health(() => now);
    const reading = health.watches('reading', 30_000);
    const loop = new ReadLoop({ open: true }, () => reading.moved());
    void loop.run(stop.signal);
    let looks = 0;
    let wedge = false;
    let reads = 'fine';
    const read = async () => {
      if (!wedge) return false;
      reads = 'wedged';
      return await never();
    };
    loop.add({ look: () => ++looks > 0, read });
    await until(() => looks > 3, { what: 'some rounds' });
    now = 29_000;
    await until(() => looks > 6, { what: 'some more rounds' });
    now = 59_000;
    expect(health.live().ok).toBe(true);
    wedge = true;
    await until(() => reads === 'wedged', { what: 'the read that never ends' });
    now += 31_000;
    expect(health.live().reasons).toEqual([
      { part: 'reading', reason: expect.stringMatching(/^has not moved for/) },
    ]);
  });

  it('the offsets are saved for ever', async () => {
    let now = 0;
    const health = new Health(() => now);
    const saving = health.watches('offsets', 120_000);
    const store = new OffsetStore(undefined, () => true);
    store.dirty = true;
    let writes = 0;
    const committer = new Committer({
      store,
      stateDir: '/nowhere',
      log,
      onSaved: () => undefined,
      onFailed: () => undefined,
      onTurn: () => saving.moved(),
      periodMs: 1,
      write: async () => void (++writes, await never()),
    });
    void committer.run(stop.signal);
    await until(() => writes === 1, { what: 'the write' });
    now = 121_000;
    expect(health.live().reasons).toEqual([{ part: 'offsets', reason: 'has not moved for 121 s' }]);
  });

  describe('a batch', () => {
    let delivery: Delivery;
    afterEach(() => delivery.stop());

    function deliver(writeBatch: (records: readonly unknown[]) => Promise<void>): Delivery {
      vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 });
      delivery = new Delivery({
        writer: { name: 'test', writeBatch },
        maxInFlight: 2,
        maxBatches: 8,
        maxBytes: 1000,
        deadLetter: never,
        log,
        onRoom: () => undefined,
      });
      return delivery;
    }
    /** Time passes, and the probes of the store are answered or not. */
    function pass(ms: number, answers: boolean): void {
      vi.setSystemTime(Date.now() + ms);
      if (answers) delivery.health.reachable();
      else delivery.health.failed(new Error('away'), 'probe');
    }

    it('is written for ever though the store answers, also where others get through', async () => {
      let first = true;
      const subject = deliver(async () => {
        if (!first) return;
        first = false;
        await never();
      });
      subject.submit(new Batch([], 1));
      for (let minute = 0; minute < 4; minute++) pass(60_000, true);
      subject.submit(new Batch([], 1));
      await until(() => subject.batches === 1, { what: 'the second batch written' });
      expect(subject.stuck()).toBeUndefined();
      pass(61_000, true);
      expect(subject.stuck()).toBe('a batch has waited for 301 s to be written, though test answers');
    });

    it('but not while the store is down, or it has asked to wait', async () => {
      const subject = deliver(async () => {
        throw new RetryAfterError('full', 3_600_000);
      });
      subject.submit(new Batch([], 1));
      await until(() => subject.failed === 1, { what: 'the failure' });
      pass(3_000_000, true);
      expect(subject.stuck()).toBeUndefined();

      const hanging = deliver(never);
      hanging.submit(new Batch([], 1));
      pass(3_000_000, false);
      expect(hanging.stuck()).toBeUndefined();
    });
  });
});
