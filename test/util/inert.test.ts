import { describe, expect, it } from 'vitest';
import { inert } from '../../src/util/inert.ts';

describe('inert', () => {
  it.each([
    ['\x1b[31mred\x1b[0m', '\\u001b[31mred\\u001b[0m'],
    ['\x1b]0;title\x07', '\\u001b]0;title\\u0007'],
    ['\u009b2J', '\\u009b2J'],
    ['over\rwritten\nforged', 'over\\u000dwritten\\u000aforged'],
    ['\u202egnp.exe', '\\u202egnp.exe'],
    ['line\u2028end', 'line\\u2028end'],
    ['half \ud83e', 'half \\ud83e'],
    ['tab\t, grüße, 漢字, 🫖, 👩‍👧', 'tab\t, grüße, 漢字, 🫖, 👩‍👧'],
  ])('writes %j as %j', (text, safe) => {
    expect(inert(text)).toBe(safe);
  });

  it('keeps the meaning of JSON text', () => {
    const value = { a: '\u009b\u202e\x7f', b: 'ü' };
    expect(JSON.parse(inert(JSON.stringify(value)))).toEqual(value);
  });
});
