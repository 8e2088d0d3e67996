import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTime, TimeReader, unixNano, type UnixTime } from '../../src/record/unix-nano.ts';

const asText = (time: UnixTime | undefined): string | undefined => time && unixNano(time);
const parsed = (text: string): string | undefined => asText(parseTime(text));
const read = (reader: TimeReader, text: string): string | undefined =>
  asText(reader.read(Buffer.from(`x${text}y`, 'latin1'), 1, 1 + text.length));
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

  it('gives the same when it remembers the last second', () => {
    fc.assert(
      fc.property(
        fc.array(times, { maxLength: 20 }),
        fc.array(fc.stringMatching(/^\d{1,9}$/)),
        (some, fractions) => {
          const reader = new TimeReader();
          for (const { text, nano } of some) {
            expect(read(reader, text)).toBe(nano);
            const second = text.slice(0, 19);
            for (const fraction of fractions) {
              for (const zone of ['Z', '+01:30']) {
                const other = `${second}.${fraction}${zone}`;
                expect(read(reader, other)).toBe(parsed(other));
              }
            }
          }
        },
      ),
      { numRuns: 200 },
    );
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
    const reader = new TimeReader();
    read(reader, '2026-11-23T05:30:57.5Z');
    expect(read(reader, time)).toBeUndefined();
  });

  it('knows the begin of time and leap days', () => {
    expect(parsed('1970-01-01T00:00:00Z')).toBe('0');
    expect(parsed('1970-01-01T00:00:00.000000001Z')).toBe('1');
    expect(parsed('1970-01-01T00:00:01.5Z')).toBe('1500000000');
    expect(parsed('2024-02-29T00:00:00Z')).toBe('1709164800000000000');
  });
});
