import { describe, expect, it } from 'vitest';
import { parseTime } from '../../src/cli/time-flag.ts';
import { traceOptions } from '../../src/cli/trace-flags.ts';

const now = Date.UTC(2026, 10, 24, 12, 0, 0);

describe('a time as a person gives it', () => {
  it.each([
    ['15m', '2026-11-24T11:45:00.000Z'],
    ['1h30m', '2026-11-24T10:30:00.000Z'],
    ['2026-11-24', '2026-11-24T00:00:00.000Z'],
    ['2026-11-24 10:00', '2026-11-24T10:00:00.000Z'],
    ['2026-11-24T10:00:00.5+02:00', '2026-11-24T08:00:00.500Z'],
  ])('%s is %s', (text, time) => {
    expect(parseTime(text, now)).toBe(String(BigInt(Date.parse(time)) * 1_000_000n));
  });

  it('keeps nanoseconds', () => {
    expect(parseTime('2023-11-14T22:13:20.123456789Z', now)).toBe('1700000000123456789');
  });

  it.each(['yesterday', '2026-02-30', '10:00', '', '1969-01-01'])('%j is none', (text) => {
    expect(parseTime(text, now)).toBeUndefined();
  });
});

describe('the flags of frostbeat trace', () => {
  it('lists every mistake', async () => {
    const flags = { since: 'soon', until: '1h', level: 'loud', grep: '(', follow: true };
    const { mistakes } = await traceOptions(flags, now);
    expect(mistakes.map((mistake) => mistake.split(' ')[0])).toEqual([
      '--level',
      '--grep',
      '--since',
      '--until',
    ]);
  });

  it('searches by an expression that would hang other engines', async () => {
    const { options } = await traceOptions({ grep: '(a+)+$' }, now);
    expect(options.filter?.matches?.(`${'a'.repeat(50_000)}!`)).toBe(false);
    expect(options.filter?.matches?.('xaa')).toBe(true);
  });
});
