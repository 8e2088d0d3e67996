import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ByteBuffer } from '../../src/writers/byte-buffer.ts';
import { KeySet } from '../../src/writers/etcd-key-set.ts';

it('tells keys apart as a set of texts does', () => {
  const key = fc.oneof(
    fc.string({ minLength: 1, maxLength: 3, unit: fc.constantFrom('a', 'b', '/') }),
    fc
      .string({ minLength: 20, maxLength: 40, unit: fc.constantFrom('a', 'b') })
      .map((text) => `${text}${'z'.repeat(29)}`),
  );
  fc.assert(
    fc.property(fc.array(key, { minLength: 1, maxLength: 300 }), (texts) => {
      const keys = new ByteBuffer(1);
      const set = new KeySet(keys, texts.length);
      const told = texts.map((text) => {
        const from = keys.length;
        keys.add(text);
        return set.add(from, keys.length);
      });
      expect(told).toEqual(texts.map((text, index) => texts.indexOf(text) === index));
    }),
  );
});
