import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ByteBuffer } from '../../src/writers/byte-buffer.ts';

it('gives back the bytes of all that was added since it was cleared', () => {
  const buffer = new ByteBuffer();
  const text = fc.tuple(fc.constantFrom('\0', 'a', '\u00ff', 'é'), fc.integer({ min: 0, max: 40_000 }));
  fc.assert(
    fc.property(fc.array(text, { maxLength: 20 }), (texts) => {
      buffer.clear();
      const all = texts.map(([character, times]) => character.repeat(times));
      for (const one of all) buffer.add(one);
      expect(buffer.bytes().equals(Buffer.from(all.join(''), 'latin1'))).toBe(true);
    }),
    { numRuns: 50 },
  );
});

it('works after a text that is larger than what it keeps', () => {
  const buffer = new ByteBuffer();
  buffer.add('x'.repeat(9_000_000));
  expect(buffer.bytes().length).toBe(9_000_000);
  buffer.clear();
  buffer.add('y');
  expect(buffer.bytes().toString()).toBe('y');
});
