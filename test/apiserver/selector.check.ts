import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { selector } from '../../src/config/selector.ts';
import { BUILD_LIMIT_MS, findKubeApiserver } from './build-apiserver.ts';
import { type KubeApiserver, startKubeApiserver } from './kube-apiserver.ts';

let api: KubeApiserver;
beforeAll(async () => {
  api = await startKubeApiserver(await findKubeApiserver());
}, BUILD_LIMIT_MS);
afterAll(() => api[Symbol.asyncDispose]());

const words = [
  'app',
  'in',
  'notin',
  'a.b/c',
  'A/b',
  '-a',
  'b-',
  '3',
  '-1',
  '99999999999999999999',
  'ä',
  'x_y',
  '',
];
const signs = ['=', '==', '!=', '!', '<', '>', '(', ')', ',', ' ', '\t', '\u00a0'];
const requirement = fc
  .tuple(
    fc.constantFrom(...words),
    fc.constantFrom('=', '==', '!=', '>', '<', ' in ', ' notin ', ' = ', ''),
    fc.array(fc.constantFrom(...words), { maxLength: 3 }),
    fc.boolean(),
  )
  .map(
    ([key, sign, values, brackets]) =>
      `${key}${sign}${brackets ? `(${values.join(',')})` : (values[0] ?? '')}`,
  );
const selectors = fc.oneof(
  fc.array(requirement, { minLength: 1, maxLength: 3 }).map((list) => list.join(',')),
  fc.array(fc.constantFrom(...words, ...signs), { minLength: 1, maxLength: 8 }).map((list) => list.join('')),
);

test('the API takes the selectors that the configuration takes, and no others', async () => {
  let [taken, refused] = [0, 0];
  await fc.assert(
    fc.asyncProperty(selectors, async (text) => {
      const parsed = selector(text);
      // Of nothing but spaces, nothing is sent.
      const sent = 'value' in parsed ? parsed.value : text;
      const status = await api.status(`/api/v1/pods?limit=1&labelSelector=${encodeURIComponent(sent)}`);
      if (status === 200) taken += 1;
      else refused += 1;
      expect({ text, status }).toEqual({ text, status: 'value' in parsed ? 200 : 400 });
    }),
    { numRuns: 3_000 },
  );
  // A property that only ever sees one side proves nothing.
  expect(Math.min(taken, refused)).toBeGreaterThan(100);
});
