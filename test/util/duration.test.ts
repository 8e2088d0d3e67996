import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../src/util/duration.ts';

describe('parseDuration', () => {
  it.each([
    ['300ms', 300],
    ['5s', 5_000],
    ['1h30m', 5_400_000],
    ['48h', 172_800_000],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['1.s', 1_000],
    ['0', 0],
    ['0s', 0],
    ['250us', 0.25],
    ['250µs', 0.25],
    ['1h0m0s', 3_600_000],
    ['1s1s', 2_000],
    ['1.1s', 1_100],
  ])('reads %s as %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    '',
    '5',
    '-5s',
    '+5s',
    's',
    '5 s',
    '5s ',
    '5d',
    '1h30',
    '5S',
    '1,5s',
    '.s',
    '5ss',
    '1e3s',
    'NaN',
    'Infinity',
  ])('refuses %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [0.25, '250us'],
    [300, '300ms'],
    [1_500, '1.5s'],
    [5_400_000, '1h30m'],
    [172_800_000, '48h'],
    [3_601_000, '1h1s'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('writes what parseDuration reads back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000_000_000 }), (micros) => {
        expect(parseDuration(formatDuration(micros / 1000))).toBeCloseTo(micros / 1000, 6);
      }),
    );
  });
});
