import pino from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Destination } from '../../src/deliver/destination.ts';
import { InFlight } from '../../src/offsets/in-flight.ts';
import { createMetrics } from '../../src/ops/metrics.ts';
import { AgentRecord, withText } from '../../src/record/agent-record.ts';
import { sliceOf } from '../../src/util/byte-slice.ts';
import type { BatchPreference } from '../../src/writers/log-writer.ts';

const source = withText({ namespace: 'ns', pod: 'pod', container: 'app', node: '' }, false);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function destination(
  name: string,
  batch: BatchPreference | undefined,
  written: [string, number][],
): Destination {
  return new Destination({
    writer: {
      name,
      ...(batch && { batch }),
      writeBatch: async (records) => {
        written.push([name, records.length]);
      },
    },
    batchSize: 2,
    batchPeriodMs: 5_000,
    maxInFlight: 4,
    deadLetter: () => Promise.reject(new Error('no dead letters here')),
    log: pino({ level: 'silent' }),
    metrics: createMetrics(),
    onRoom: () => undefined,
  });
}

function addRecords(destinations: readonly Destination[], window: InFlight, count: number): void {
  for (let i = 0; i < count; i++) {
    const start = window.readTo;
    const parsed = {
      json: sliceOf('0123456789'),
      traceId: 't',
      time: { seconds: 0, nanos: 1 },
      hasKubernetes: false,
    };
    const record = new AgentRecord(parsed, source, { claim: window.claim(start, start + 10), offset: start });
    for (const one of destinations) one.add(record);
  }
}

it('makes the batches that each writer asks for, and a record settles when the slowest has it', async () => {
  const written: [string, number][] = [];
  const window = new InFlight('f', 0, () => undefined);
  const both = [
    destination('small', undefined, written),
    destination('large', { records: 100, bytes: 45, periodMs: 60_000 }, written),
  ];
  addRecords(both, window, 3);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(written).toEqual([
    ['small', 2],
    ['small', 1],
  ]);
  expect(window.committed).toBe(0);
  await vi.advanceTimersByTimeAsync(54_000);
  expect(written).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(written.at(-1)).toEqual(['large', 3]);
  expect(window.committed).toBe(30);

  // By bytes it is closed before its time.
  addRecords(both, window, 5);
  await vi.advanceTimersByTimeAsync(0);
  expect(written.at(-1)).toEqual(['large', 4]);
});

it('never makes smaller batches than the settings ask for', async () => {
  const written: [string, number][] = [];
  const window = new InFlight('f', 0, () => undefined);
  const one = destination('modest', { records: 1, bytes: 1_000, periodMs: 1 }, written);
  addRecords([one], window, 2);
  await vi.advanceTimersByTimeAsync(0);
  expect(written).toEqual([['modest', 2]]);
  addRecords([one], window, 1);
  await vi.advanceTimersByTimeAsync(4_000);
  expect(written).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(written).toHaveLength(2);
});
