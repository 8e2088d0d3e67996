import { setImmediate as breathe, setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { Batch } from '../../src/batch/batch.ts';
import { Delivery, type DeliveryOptions } from '../../src/deliver/delivery.ts';
import { InFlight } from '../../src/offsets/in-flight.ts';
import { AgentRecord, withText } from '../../src/record/agent-record.ts';
import type { LogRecord } from '../../src/record/log-record.ts';
import { PartialWriteError, RejectedError, RetryAfterError } from '../../src/writers/log-writer.ts';
import { sliceOf } from '../../src/util/byte-slice.ts';
import { until } from '../support/until.ts';

const log = pino({ level: 'silent' });
const source = withText({ namespace: 'ns', pod: 'pod', container: 'app', node: '' }, false);
const file = (): InFlight => new InFlight('f', 0, () => undefined);

/** Batches of one record each, numbered from `from`. */
function batches(window: InFlight, count: number, from = 0): Batch[] {
  return Array.from({ length: count }, (_, i) => batch(window, [`t${from + i}`]));
}

function batch(window: InFlight, traceIds: string[]): Batch {
  const records = traceIds.map((traceId) => {
    const start = window.readTo;
    const parsed = {
      json: sliceOf('0123456789'),
      traceId,
      time: { seconds: 0, nanos: 1 },
      hasKubernetes: false,
    };
    const record = new AgentRecord(parsed, source, { claim: window.claim(start, start + 10), offset: start });
    record.addDestination();
    return record;
  });
  return new Batch(records, records.length * 10);
}

let delivery: Delivery;
afterEach(() => delivery.stop());

function deliver(
  write: (traceIds: string[], records: readonly LogRecord[], signal: AbortSignal) => Promise<void> | void,
  options: Partial<DeliveryOptions> = {},
): Delivery {
  delivery = new Delivery({
    writer: {
      name: 'test',
      writeBatch: async (records, signal) => {
        await write(
          records.map(({ traceId }) => traceId),
          records,
          signal,
        );
      },
    },
    maxInFlight: 4,
    maxBatches: 16,
    maxBytes: 2 ** 20,
    deadLetter: () => Promise.reject(new Error('no dead letters here')),
    log,
    onRoom: () => undefined,
    ...options,
  });
  return delivery;
}

describe('Delivery', () => {
  it('does not let a batch that fails hold up the others, and delivers it when it can', async () => {
    const window = file();
    const stored: string[] = [];
    let poisoned = true;
    const subject = deliver(([traceId]) => {
      if (traceId === 't0' && poisoned) throw new Error('not this one');
      stored.push(traceId!);
    });
    for (const one of batches(window, 100)) {
      await until(() => !subject.full, { what: 'room' });
      subject.submit(one);
    }
    await until(() => stored.length === 99, { what: 'all but one' });
    expect(window.committed).toBe(0);
    expect(window.links).toBe(2);
    poisoned = false;
    await subject.drained(AbortSignal.timeout(8000));
    expect(stored).toHaveLength(100);
    expect(window.committed).toBe(1000);
    expect(window.ledger).toMatchObject({ delivered: 100, inFlight: 0, imbalance: 0 });
  });

  it('has at most so many batches under way at once', async () => {
    let now = 0;
    let most = 0;
    const subject = deliver(async () => {
      most = Math.max(most, ++now);
      await sleep(5);
      now--;
    });
    for (const one of batches(file(), 16)) subject.submit(one);
    await subject.drained(AbortSignal.timeout(5000));
    expect(most).toBe(4);
  });

  it('tells when it is full by count or by bytes, and when there is room again', async () => {
    const { promise: open, resolve: go } = Promise.withResolvers<void>();
    let rooms = 0;
    const window = file();
    const subject = deliver(() => open, { maxBatches: 3, maxBytes: 1000, onRoom: () => rooms++ });
    for (const one of batches(window, 2)) subject.submit(one);
    expect(subject.full).toBe(false);
    subject.submit(batch(window, ['t2']));
    expect(subject.full).toBe(true);
    expect(rooms).toBe(0);
    go();
    await subject.drained(AbortSignal.timeout(5000));
    expect(subject.full).toBe(false);
    expect(rooms).toBeGreaterThan(0);
    subject.submit(
      batch(
        window,
        Array.from({ length: 100 }, (_, i) => `x${i}`),
      ),
    );
    expect(subject.full).toBe(true);
    await subject.drained(AbortSignal.timeout(5000));
    expect(subject.full).toBe(false);
  });

  it('keeps what is refused for good as dead letters and writes the rest', async () => {
    const window = file();
    const letters: string[] = [];
    const stored: string[] = [];
    const subject = deliver(
      (traceIds, records) => {
        const bad = records.filter(({ traceId }) => traceId === 'bad');
        if (bad.length > 0) throw new RejectedError(bad.map((record) => ({ record, reason: 'too large' })));
        stored.push(...traceIds);
      },
      {
        deadLetter: async (rejections) => {
          await breathe();
          letters.push(...rejections.map(({ record, reason }) => `${record.traceId}: ${reason}`));
        },
      },
    );
    subject.submit(batch(window, ['a', 'bad', 'b']));
    subject.submit(batch(window, ['bad']));
    await subject.drained(AbortSignal.timeout(5000));
    expect(stored).toEqual(['a', 'b']);
    expect(letters).toEqual(['bad: too large', 'bad: too large']);
    expect(window.ledger).toMatchObject({ delivered: 2, deadLettered: 2, inFlight: 0, imbalance: 0 });
    expect(window.committed).toBe(40);
    expect(subject.full).toBe(false);
    expect(subject.batches).toBe(0);
  });

  it('waits with a batch whose dead letter cannot be kept, and says why', async () => {
    const window = file();
    let disk = false;
    const stored: string[] = [];
    const subject = deliver(
      (traceIds, records) => {
        const bad = records.filter(({ traceId }) => traceId === 'bad');
        if (bad.length > 0) throw new RejectedError(bad.map((record) => ({ record, reason: 'no' })));
        stored.push(...traceIds);
      },
      { deadLetter: () => (disk ? Promise.resolve() : Promise.reject(new Error('ENOSPC'))) },
    );
    subject.submit(batch(window, ['a', 'bad']));
    subject.submit(batch(window, ['b']));
    await until(() => stored.includes('b'), { what: 'the other batch' });
    await until(() => subject.health.failure !== undefined, { what: 'the failure' });
    expect(subject.health.failure).toContain('dead letter');
    expect(window.committed).toBe(0);
    expect(window.ledger).toMatchObject({ deadLettered: 0, delivered: 1, inFlight: 2 });
    disk = true;
    await subject.drained(AbortSignal.timeout(8000));
    expect(stored).toEqual(['b', 'a']);
    expect(window.ledger).toMatchObject({ deadLettered: 1, delivered: 2, inFlight: 0 });
  });

  it('tries again when what is refused is not of the batch', async () => {
    const window = file();
    const [other] = batch(file(), ['other']).records;
    let times = 0;
    const subject = deliver(() => {
      if (++times < 3) throw new RejectedError([{ record: other!, reason: 'mistaken' }]);
    });
    subject.submit(batch(window, ['a']));
    await subject.drained(AbortSignal.timeout(8000));
    expect(times).toBe(3);
    expect(window.ledger).toMatchObject({ delivered: 1, deadLettered: 0 });
  });

  it('settles the part of a batch that is stored, and tries only the others again', async () => {
    const window = file();
    const attempts: string[][] = [];
    const letters: string[] = [];
    let stored = 0;
    const subject = deliver(
      (traceIds, records) => {
        attempts.push(traceIds);
        if (attempts.length > 1) return;
        throw new PartialWriteError('one is throttled', {
          stored: [records[0]!, records[0]!],
          // One that is stored already is not refused too.
          rejections: [records[0]!, records[2]!].map((record) => ({ record, reason: 'mapping' })),
        });
      },
      {
        deadLetter: async (rejections) => {
          await breathe();
          letters.push(...rejections.map(({ record }) => record.traceId));
        },
        onStored: (records) => {
          stored += records;
        },
      },
    );
    subject.submit(batch(window, ['a', 'b', 'bad', 'c']));
    await until(() => attempts.length === 2, { what: 'the second attempt' });
    await subject.drained(AbortSignal.timeout(5000));
    expect(attempts).toEqual([
      ['a', 'b', 'bad', 'c'],
      ['b', 'c'],
    ]);
    expect(letters).toEqual(['bad']);
    expect(stored).toBe(3);
    expect(window.ledger).toMatchObject({ delivered: 3, deadLettered: 1, inFlight: 0, imbalance: 0 });
    expect(subject).toMatchObject({ batches: 0, bytes: 0, full: false });
    expect(subject.health.failure).toBeUndefined();
  });

  it('writes nothing again of a batch whose last records are refused, even while no letter can be kept', async () => {
    const window = file();
    const attempts: string[][] = [];
    let disk = false;
    const subject = deliver(
      (traceIds, records) => {
        attempts.push(traceIds);
        const rejections = [{ record: records.at(-1)!, reason: 'mapping' }];
        throw new PartialWriteError('one is refused', { stored: records.slice(0, -1), rejections });
      },
      { deadLetter: () => (disk ? Promise.resolve() : Promise.reject(new Error('ENOSPC'))) },
    );
    subject.submit(batch(window, ['a', 'bad']));
    await until(() => attempts.length > 1, { what: 'another attempt' });
    expect(window.ledger).toMatchObject({ delivered: 1, deadLettered: 0, inFlight: 1 });
    disk = true;
    await subject.drained(AbortSignal.timeout(8000));
    expect(attempts.slice(1).flat()).toEqual(attempts.slice(1).map(() => 'bad'));
    expect(window.ledger).toMatchObject({ delivered: 1, deadLettered: 1, inFlight: 0, imbalance: 0 });
  });

  it('tries the whole batch again where a part is named that is not of it', async () => {
    const window = file();
    const [other] = batch(file(), ['other']).records;
    const attempts: string[][] = [];
    const subject = deliver((traceIds) => {
      attempts.push(traceIds);
      if (attempts.length < 3) throw new PartialWriteError('mistaken', { stored: [other!], delayMs: 1 });
    });
    subject.submit(batch(window, ['a', 'b']));
    await subject.drained(AbortSignal.timeout(8000));
    expect(attempts).toEqual(Array.from({ length: 3 }, () => ['a', 'b']));
    expect(window.ledger).toMatchObject({ delivered: 2, inFlight: 0 });
  });

  it('waits as long as the destination asks for, and not longer for it', async () => {
    const attempts: number[] = [];
    const subject = deliver(() => {
      attempts.push(performance.now());
      if (attempts.length < 3) throw new RetryAfterError('busy', 400);
    });
    subject.submit(batch(file(), ['a']));
    await subject.drained(AbortSignal.timeout(8000));
    const pauses = attempts.slice(1).map((at, i) => at - attempts[i]!);
    for (const pause of pauses) {
      expect(pause).toBeGreaterThanOrEqual(395);
      expect(pause).toBeLessThan(1500);
    }
  });

  it('never settles what was not confirmed, when it is stopped', async () => {
    const window = file();
    const subject = deliver(
      (_, __, signal) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error)),
        ),
    );
    for (const one of batches(window, 6)) subject.submit(one);
    await subject.drained(AbortSignal.timeout(100));
    subject.stop();
    await sleep(20);
    expect(window.committed).toBe(0);
    expect(window.ledger).toMatchObject({ inFlight: 6, delivered: 0, imbalance: 0 });
  });

  it('survives a writer that throws what is no error, or at once', async () => {
    const window = file();
    let times = 0;
    delivery = new Delivery({
      writer: {
        name: 'rude',
        writeBatch: () => {
          // eslint-disable-next-line typescript/only-throw-error
          if (++times === 1) throw 'a string';
          // eslint-disable-next-line typescript/only-throw-error
          if (times === 2) throw undefined;
          return Promise.resolve();
        },
      },
      maxInFlight: 1,
      maxBatches: 4,
      maxBytes: 1000,
      deadLetter: () => Promise.resolve(),
      log,
      onRoom: () => undefined,
    });
    delivery.submit(batch(window, ['a']));
    await delivery.drained(AbortSignal.timeout(8000));
    expect(times).toBe(3);
    expect(window.committed).toBe(10);
  });
});
