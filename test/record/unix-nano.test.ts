import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scanRecord } from '../../src/record/scan-record.ts';
import { parseTime, unixNano, type UnixTime } from '../../src/record/unix-nano.ts';
import { sliceOf } from '../../src/util/byte-slice.ts';

const asText = (time: UnixTime | undefined): string | undefined => time && unixNano(time);
const parsed = (text: string): string | undefined => asText(parseTime(text));
/** As it is read of a line. */
const scanned = (text: string): string | undefined => {
  const found = scanRecord(sliceOf(Buffer.from(`{"time":"${text}","traceId":"a"}`).toString('latin1')));
  expect(found).toBeDefined();
  return found === 'bad_time' ? undefined : asText(found);
};
const pad = (value: number, width = 2): string => String(value).padStart(width, '0');

/** A valid RFC 3339 time and what Date and BigInt make of it. */
const times = fc
  .record({
    ms: fc.integer({ min: Date.UTC(1971, 0, 1), max: Date.UTC(9999, 10, 30) }),
    fraction: fc.stringMatching(/^\d{0,12}$/),
    zone: fc.option(fc.record({ sign: fc.constantFrom('+', '-'), h: fc.nat(23), m: fc.nat(59) }), {
      nil: 'Z' as const,
    }),
    lower: fc.boolean(),
  })
  .map(({ ms, fraction, zone, lower }) => {
    const seconds = Math.floor(ms / 1000);
    const date = new Date(seconds * 1000);
    const local =
      `${pad(date.getUTCFullYear(), 4)}-${pad(date.getUTCMonth() + 1)}-${pad(date.getUTCDate())}` +
      `T${pad(date.getUTCHours())}:${pad(date.getUTCMinutes())}:${pad(date.getUTCSeconds())}`;
    const offset = zone === 'Z' ? 0 : (zone.sign === '-' ? -1 : 1) * (zone.h * 3600 + zone.m * 60);
    const suffix = zone === 'Z' ? 'Z' : `${zone.sign}${pad(zone.h)}:${pad(zone.m)}`;
    const text = local + (fraction === '' ? '' : `.${fraction}`) + suffix;
    const nano = BigInt(seconds - offset) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
    return { text: lower ? text.toLowerCase() : text, nano: String(nano) };
  });

describe('unixNano', () => {
  it('gives what Date and BigInt give, for every time of every zone', () => {
    fc.assert(
      fc.property(times, ({ text, nano }) => {
        expect(parsed(text)).toBe(nano);
      }),
      { numRuns: 2000 },
    );
  });

  it('gives the same for the time of a line', () => {
    fc.assert(
      fc.property(times, ({ text, nano }) => {
        expect(scanned(text)).toBe(nano);
      }),
      { numRuns: 2000 },
    );
  });

  it('gives the same for the time of a line that is nearly one', () => {
    const near = fc
      .tuple(times, fc.nat(40), fc.constantFrom(...'0129:-.TZz+ /'.split('')))
      .map(([{ text }, place, character]) => {
        const at = place % text.length;
        return text.slice(0, at) + character + text.slice(at + 1);
      });
    fc.assert(
      fc.property(near, (text) => {
        expect(scanned(text)).toBe(parsed(text));
      }),
      { numRuns: 20_000 },
    );
  });

  it('gives what Date gives at the begin and the end of every day from 1970 to 2107, beyond what 32 bits hold', () => {
    const day = 86_400_000;
    for (let midnight = 0; midnight < Date.UTC(2108, 0, 1); midnight += day) {
      for (const ms of [midnight, midnight + day - 1]) {
        expect(scanned(new Date(ms).toISOString())).toBe(ms === 0 ? '0' : `${ms}000000`);
      }
    }
  });

  it.each([
    '',
    '2026-11-23',
    '2026-11-23T05:30:57',
    '2026-11-23 05:30:57Z',
    '2026-11-23T05:30:57.Z',
    '2026-11-23T05:30:57,5Z',
    '2026-02-30T05:30:57Z',
    '2026-02-29T05:30:57Z',
    '2026-04-31T05:30:57Z',
    '2026-06-31T05:30:57Z',
    '2026-09-31T05:30:57Z',
    '2026-11-31T05:30:57Z',
    '2026-12-32T05:30:57Z',
    '2026-13-01T05:30:57Z',
    '2026-00-01T05:30:57Z',
    '2026-11-00T05:30:57Z',
    '2026-11-23T24:00:00Z',
    '2026-11-23T05:60:57Z',
    '2026-11-23T05:30:60Z',
    '2026-11-23T05:30:57+24:00',
    '2026-11-23T05:30:57+0100',
    '1969-12-31T23:59:59.999Z',
    '1970-01-01T00:30:00+01:00',
    '0000-01-01T00:00:00Z',
    ' 2026-11-23T05:30:57Z',
    '٢٠٢٦-11-23T05:30:57Z',
  ])('refuses %j', (time) => {
    expect(parsed(time)).toBeUndefined();
    expect(scanned(time)).toBeUndefined();
  });

  it('knows the begin of time and leap days', () => {
    expect(parsed('1970-01-01T00:00:00Z')).toBe('0');
    expect(parsed('1970-01-01T00:00:00.000000001Z')).toBe('1');
    expect(parsed('1970-01-01T00:00:01.5Z')).toBe('1500000000');
    expect(parsed('2024-02-29T00:00:00Z')).toBe('1709164800000000000');
  });
});
