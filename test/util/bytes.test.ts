import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBytes, parseBytes } from '../../src/util/bytes.ts';

describe('parseBytes', () => {
  it.each([
    ['0', 0],
    ['1048576', 1_048_576],
    ['1MiB', 1_048_576],
    ['1Mi', 1_048_576],
    ['64 KiB', 65_536],
    ['1.5MiB', 1_572_864],
    ['10MB', 10_000_000],
    ['10M', 10_000_000],
    ['2gib', 2 ** 31],
    ['7B', 7],
  ])('reads %s as %d', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  it.each([
    '',
    'MiB',
    '-1',
    '1.5',
    '0.3KiB',
    '1TiB',
    '1 M iB',
    '1e6',
    '99999999999GiB',
    'constructor',
    '1constructor',
  ])('refuses %j', (text) => {
    expect(parseBytes(text)).toBeUndefined();
  });
});

describe('formatBytes', () => {
  it.each([
    [0, '0B'],
    [1000, '1000B'],
    [1_048_576, '1MiB'],
    [1_572_864, '1536KiB'],
    [2 ** 31, '2GiB'],
  ])('writes %d as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it('writes what parseBytes reads back', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (bytes) => {
        expect(parseBytes(formatBytes(bytes))).toBe(bytes);
      }),
    );
  });
});
