import { expect, test } from 'vitest';
import { humanBytes, humanCount, humanSeconds } from '../../src/util/human.ts';

test('bytes have two or three digits and a unit', () => {
  const texts = [0, 812, 999, 1000, 1449, 23_400_000, 999_600, 5e15].map(humanBytes);
  expect(texts).toEqual(['0 B', '812 B', '999 B', '1.0 kB', '1.4 kB', '23 MB', '1.0 MB', '5000 TB']);
});

test('a span of time has its two largest units', () => {
  const texts = [0, 0.4, 59.4, 60, 125, 3_599, 3_600, 15_000, 86_400, 266_400].map(humanSeconds);
  expect(texts).toEqual([
    '0 s',
    '0 s',
    '59 s',
    '1 min',
    '2 min 5 s',
    '59 min 59 s',
    '1 h',
    '4 h 10 min',
    '1 d',
    '3 d 2 h',
  ]);
});

test('a number has separators', () => {
  expect(humanCount(1_234_567)).toBe('1,234,567');
});
