import { expect, test } from 'vitest';
import { Growth } from '../../src/status/growth.ts';

const file = (fileId: string, size: number, compressed = false) => ({ fileId, size, compressed });

test('what was there at first is not growth; a steady rate is told exactly, through rotation and compression', () => {
  const growth = new Growth();
  growth.sample([], 0);
  growth.sample([file('old', 5_000_000), file('a', 1000)], 10_000);
  expect(growth.bytesPerSecond).toBeUndefined();
  growth.sample([file('old', 5_000_000), file('a', 2000)], 20_000);
  expect(growth.bytesPerSecond).toBe(100);
  growth.sample([file('old', 700, true), file('a', 2600), file('b', 400)], 30_000);
  expect(growth.bytesPerSecond).toBe(100);
});

test('a change of the rate is told after a minute or so, however often it is measured', () => {
  for (const seconds of [2, 10, 30]) {
    const growth = new Growth();
    let size = 0;
    growth.sample([file('a', 1)], 0);
    const go = (from: number, to: number, rate: number) => {
      for (let at = from + seconds; at <= to; at += seconds) {
        size += seconds * rate;
        growth.sample([file('a', 1 + size)], at * 1000);
      }
      return growth.bytesPerSecond;
    };
    expect(go(0, 300, 100)).toBeCloseTo(100, 6);
    expect(go(300, 360, 0)).toBeCloseTo(100 / Math.E, 6);
    expect(go(360, 900, 0)).toBe(0);
  }
});

test('a truncated file has not grown', () => {
  const growth = new Growth();
  growth.sample([file('a', 1000)], 0);
  growth.sample([file('a', 10), file('b', 500)], 10_000);
  expect(growth.bytesPerSecond).toBe(50);
});
