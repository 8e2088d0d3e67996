import { murmur2 as theirs } from '@platformatic/kafka';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { murmur2 } from '../../src/writers/kafka-hash.ts';

it("is Kafka's hash", () => {
  // As in kafka-clients' UtilsTest.
  expect(murmur2(Buffer.from('21'))).toBe(-973932308);
  expect(murmur2(Buffer.from('foobar'))).toBe(-790332482);
  expect(murmur2(Buffer.from('a-little-bit-long-string'))).toBe(-985981536);
  expect(murmur2(Buffer.from('abc'))).toBe(479470107);
});

it("is the client's hash, of any bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
      const key = Buffer.from(bytes);
      expect(murmur2(key)).toBe(theirs(key));
    }),
    { numRuns: 2_000 },
  );
});
