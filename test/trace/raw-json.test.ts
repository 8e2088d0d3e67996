import fc from 'fast-check';
import { expect, it } from 'vitest';
import { itemsAt, membersAt } from '../../src/trace/raw-json.ts';

const json = fc.json({ maxDepth: 4 });

it('the values of an object are found where they stand, byte for byte', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), json)),
      fc.constantFrom('', ' ', '\n\t'),
      (pairs, space) => {
        const named = [...new Map(pairs).entries()];
        const text = `{${space}${named.map(([name, value]) => `${JSON.stringify(name)}${space}:${space}${value}`).join(`${space},${space}`)}${space}}`;
        const bytes = Buffer.from(text);
        const found = [...membersAt(bytes, 0)].map(([name, { from, to }]) => [
          JSON.parse(`"${name}"`) as string,
          bytes.toString('utf8', from, to).trim(),
        ]);
        expect(found).toEqual(named.map(([name, value]) => [name, value.trim()]));
      },
    ),
  );
});

it('the items of a list are found where they stand, byte for byte', () => {
  fc.assert(
    fc.property(fc.array(json), (values) => {
      const bytes = Buffer.from(`x[${values.join(',')}]`);
      const found = itemsAt(bytes, 1).map(({ from, to }) => bytes.toString('utf8', from, to).trim());
      expect(found).toEqual(values.map((value) => value.trim()));
    }),
  );
});

it('numbers that JavaScript has not, escaped quotes and braces in texts stay as they are', () => {
  const bytes = Buffer.from(String.raw`{"a\"}":12345678901234567890,"b":"\\","c":[1.0,"]"]}`);
  const members = membersAt(bytes, 0);
  const at = (name: string): string => {
    const { from = 0, to = 0 } = members.get(name) ?? {};
    return bytes.toString('utf8', from, to);
  };
  expect(at(String.raw`a\"}`)).toBe('12345678901234567890');
  expect(at('b')).toBe(String.raw`"\\"`);
  expect(at('c')).toBe('[1.0,"]"]');
});
