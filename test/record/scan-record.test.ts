import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scanRecord } from '../../src/record/scan-record.ts';
import { parseTime } from '../../src/record/unix-nano.ts';
import { sliceOf } from '../../src/util/byte-slice.ts';

/** What it says of the text, the trace ID as text. */
function scanned(text: string) {
  const found = scanRecord(sliceOf(text));
  if (found === undefined || found === 'bad_time') return found;
  const { traceFrom, traceTo, seconds, nanos, hasKubernetes } = found;
  return { traceId: text.slice(traceFrom, traceTo), time: { seconds, nanos }, hasKubernetes };
}

/** What JSON.parse and `parseTime` make of the text, in the same terms; undefined for what is no record. */
function parsed(text: string) {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { traceId, time } = value as { traceId?: unknown; time?: unknown };
  if (typeof traceId !== 'string' || traceId === '' || typeof time !== 'string') return undefined;
  const read = parseTime(time);
  return read === undefined
    ? 'bad_time'
    : { traceId, time: read, hasKubernetes: Object.hasOwn(value, 'kubernetes') };
}

const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

const name = fc.oneof(
  fc.constantFrom('traceId', 'time', 'kubernetes', 'level', 'trace\\u0049d'),
  fc.string(),
);
const member = fc.tuple(
  name,
  fc.oneof(fc.jsonValue(), fc.string(), fc.constantFrom('ab12', '', '2026-11-23T05:30:57Z')),
);
/** Objects as text, duplicate names and all, with white space where it may stand. */
const objectText = fc
  .tuple(fc.array(member, { maxLength: 8 }), fc.constantFrom('', ' ', '\n', '\t \r'))
  .map(([members, space]) => {
    const texts = members.map(([key, value]) => {
      const keyText = key.includes('\\u0049') ? `"${key}"` : JSON.stringify(key);
      return `${space}${keyText}${space}:${space}${JSON.stringify(value, undefined, space)}${space}`;
    });
    return latin1(`{${texts.join(',')}}`);
  });

/** The text with a few characters replaced, left out or put in. */
const damaged = fc
  .tuple(
    objectText,
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.constantFrom('replace', 'insert', 'remove'),
        fc.constantFrom(...'{}[]",:\\u0eE.-+t \n\0\x1f\x7f\xff'.split('')),
      ),
      { minLength: 1, maxLength: 3 },
    ),
  )
  .map(([text, edits]) =>
    edits.reduce((result, [place, edit, character]) => {
      const at = place % (result.length + 1);
      const head = result.slice(0, at);
      if (edit === 'insert') return head + character + result.slice(at);
      return head + (edit === 'replace' ? character : '') + result.slice(at + 1);
    }, text),
  );

const withMember = (key: string): string =>
  `{"traceId":"a","time":"2026-11-23T05:30:57Z","${key}":"2027-11-23T05:30:57Z"}`;

/** A yes must be JSON.parse's yes, with the same members. */
function expectNoFalseYes(text: string): void {
  const right = parsed(text);
  expect(scanned(text) ?? right).toStrictEqual(right);
}

describe('scanRecord', () => {
  it('says what JSON.parse says, wherever it says anything', () => {
    fc.assert(
      fc.property(objectText, (text) => expectNoFalseYes(text)),
      { numRuns: 5_000 },
    );
  });

  it('takes no damaged text that JSON.parse refuses', () => {
    fc.assert(
      fc.property(damaged, (text) => expectNoFalseYes(text)),
      { numRuns: 20_000 },
    );
  });

  it('takes no text cut off at any place, and none with anything behind it', () => {
    const text =
      '{"time":"2026-11-23T05:30:57Z","n":[-1.5e+10,0,true,false,null,{}],"s":"\\u00e4\\n","traceId":"ab"}';
    expect(scanned(text)).toBeDefined();
    for (let length = 0; length < text.length; length++)
      expect(scanned(text.slice(0, length))).toBeUndefined();
    for (const more of ['}', ' ', 'x', ',', '\0']) expect(scanned(text + more)).toBeUndefined();
  });

  it('agrees with JSON.parse about every number, escape and literal that is nearly one', () => {
    const parts = ['-', '0', '1', '9', '.', 'e', 'E', '+'];
    const numbers = fc
      .array(fc.constantFrom(...parts), { minLength: 1, maxLength: 6 })
      .map((all) => all.join(''));
    const escapes = fc.array(fc.constantFrom('\\', 'u', '0', 'f', 'G', 'n', '"', '\t'), { maxLength: 7 });
    const literals = fc.constantFrom(
      'true',
      'tru',
      'nul',
      'null',
      'false',
      'fals',
      'truex',
      'NaN',
      'undefined',
      'trux',
      'nulk',
      'falsy',
      '{a":1}',
      '{"a":1;"b":2}',
      '{"a":1,}',
      '[1;2]',
      '[1,]',
    );
    const values = fc.oneof(
      numbers,
      escapes.map((all) => `"${all.join('')}"`),
      literals,
    );
    fc.assert(
      fc.property(values, (value) => {
        const text = `{"traceId":"a","time":"2026-11-23T05:30:57Z","x":${value},"y":[${value}],"z":{"x":${value}}}`;
        expect(scanned(text)).toStrictEqual(parsed(text));
      }),
      { numRuns: 20_000 },
    );
  });

  it('takes the records of usual loggers', () => {
    for (const text of [
      '{"level":30,"time":"2026-11-23T05:30:57.000Z","pid":1,"traceId":"ab12","req":{"url":"/","headers":{}},"msg":"grüß \\"Gott\\""}',
      '{ "traceId": "x", "time": "2026-11-23T05:30:57Z", "kubernetes": [] }',
    ]) {
      expect(scanned(latin1(text))).toStrictEqual(parsed(text));
    }
  });

  it('reads a time of another form than the usual one, too', () => {
    expect(scanned('{"traceId":"a","time":"2026-11-23t05:30:57+01:00"}')).toMatchObject({
      time: { seconds: Date.UTC(2026, 10, 23, 4, 30, 57) / 1000, nanos: 0 },
    });
    expect(scanned('{"traceId":"a","time":"2026-11-23T05:30:57"}')).toBe('bad_time');
  });

  it('takes what stands anywhere in a piece, and nothing of what is around it', () => {
    const record = '{"traceId":"ab","time":"2026-11-23T05:30:57Z"}';
    const bytes = Buffer.from(`"x":1}\n${record}\n,"more":1}\n`, 'latin1');
    const from = 7;
    const to = from + record.length;
    expect(scanRecord({ bytes, from, to })).toMatchObject({ traceFrom: from + 12, traceTo: from + 14 });
    expect(scanRecord({ bytes, from, to: to - 1 })).toBeUndefined();
    expect(scanRecord({ bytes, from, to: to + 1 })).toBeUndefined();
    expect(scanRecord({ bytes, from: from + 1, to })).toBeUndefined();
  });

  it.each(['traceId', 'time', 'kubernetes'])('takes no name that is nearly %s for it', (whole) => {
    const near = [`${whole}x`, `${whole}stamp`, `x${whole}`, whole.slice(0, -1), whole.slice(1)];
    for (let at = 0; at < whole.length; at++) {
      for (const other of ['x', '\0', String.fromCharCode(whole.charCodeAt(at) ^ 0x80)])
        near.push(whole.slice(0, at) + other + whole.slice(at + 1));
    }
    for (const text of [whole, ...near].map(withMember)) {
      expect(scanned(text)).toStrictEqual(parsed(text));
    }
  });

  it('takes only what begins with a brace', () => {
    const rest = '"traceId":"ab","time":"2026-11-23T05:30:57Z"}';
    for (let byte = 0; byte < 256; byte++)
      expect(scanned(String.fromCharCode(byte) + rest) !== undefined).toBe(byte === 0x7b);
  });

  it('takes nothing of what was scanned before for a part of it', () => {
    const long = `{"traceId":"ab","time":"2026-11-23T05:30:57Z","more":"${'x'.repeat(100)}"}`;
    for (const short of ['{"traceId":"ab","time":"2026-11-23T05:30:57Z"', '{', '{"traceId":"a', '{"x":tru']) {
      expect(scanned(long)).toBeDefined();
      expect(scanned(short)).toBeUndefined();
    }
  });

  it('agrees with JSON.parse about every byte at every place of a text', () => {
    for (let length = 0; length < 40; length++) {
      for (let byte = 0; byte < 256; byte++) {
        const text = `{"traceId":"a","time":"2026-11-23T05:30:57Z","x":"${'x'.repeat(length)}${String.fromCharCode(byte)}y"}`;
        expect(scanned(text)).toStrictEqual(byte === 0x5c ? undefined : parsed(text));
      }
    }
  });

  it('leaves each line of a piece that is too long to JSON.parse', () => {
    const record = '{"traceId":"a","time":"2026-11-23T05:30:57Z"}';
    const { bytes } = sliceOf(`${record}\n${'x'.repeat(1024 * 1024)}`);
    expect(scanned(record)).toBeDefined();
    for (let i = 0; i < 2; i++) expect(scanRecord({ bytes, from: 0, to: record.length })).toBeUndefined();
  });

  it.each(['"}', '","y":fals', '","y":[1e', '","y":"\\u00', '","traceId', ''])(
    'stays within its memory where a piece that fills it ends in %j',
    (tail) => {
      const head = '{"traceId":"a","time":"2026-11-23T05:30:57Z","x":"';
      for (let length = 327_570; length < 327_640; length++) {
        const text = head + 'x'.repeat(length - head.length - tail.length - 1) + tail;
        expect(scanned(text) !== undefined).toBe(tail === '"}' && length <= 327_600);
      }
    },
  );

  it('agrees with JSON.parse about every byte as white space, behind a backslash, and as a digit there', () => {
    for (let byte = 0; byte < 256; byte++) {
      const character = String.fromCharCode(byte);
      const space = `${character}[${character}1${character}]${character}`;
      const hex = [0, 1, 2, 3].map((at) => `"\\u${'0'.repeat(at)}${character}${'0'.repeat(3 - at)}"`);
      for (const value of [space, `"\\${character}0041"`, ...hex]) {
        const text = `{"traceId":"a","time":"2026-11-23T05:30:57Z","x":${value}}`;
        // A line feed within is left to JSON.parse.
        expect(scanned(text)).toStrictEqual(byte === 0x0a ? undefined : parsed(text));
      }
    }
  });

  it('leaves what is longer than its memory to JSON.parse, and takes what fits', () => {
    for (const [length, fits] of [
      [256 * 1024, true],
      [1024 * 1024, false],
      [10, true],
    ] as const) {
      const text = `{"traceId":"a","time":"2026-11-23T05:30:57Z","x":"${'x'.repeat(length)}"}`;
      expect(scanned(text) !== undefined).toBe(fits);
    }
  });

  it.each([
    ['an escaped name', '{"trace\\u0049d":"a","time":"b"}'],
    ['an escape in the trace ID', '{"traceId":"a\\n","time":"b"}'],
    ['another type', '{"traceId":1,"time":"b"}'],
    ['a time of another type', '{"traceId":"a","time":1}'],
    ['white space around it', ' {"traceId":"a","time":"b"}'],
    ['great depth', `{"traceId":"a","time":"b","x":${'['.repeat(40)}${']'.repeat(40)}}`],
    ['great depth of objects', `{"traceId":"a","time":"b","x":${'{"x":'.repeat(40)}1${'}'.repeat(40)}}`],
    ['a line feed within', '{"traceId":"a",\n"time":"b"}'],
  ])('leaves %s to JSON.parse', (_, text) => {
    expect(scanned(text)).toBeUndefined();
  });
});
