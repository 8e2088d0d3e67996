import { expect, it } from 'vitest';
import { didYouMean } from '../../src/util/did-you-mean.ts';

const flags = ['--batch-size', '--batch-period', '--ttl', '--selector'];

it.each([
  ['--batchsize', '--batch-size'],
  ['--bathc-size', '--batch-size'],
  ['--Batch-Size', '--batch-size'],
  ['--batch-perod', '--batch-period'],
  ['--tll', '--ttl'],
])('takes %s for a slip of %s', (word, meant) => {
  expect(didYouMean(word, flags)).toBe(meant);
});

it.each(['--verbose', 'x', '', '--node'])('takes %j for none', (word) => {
  expect(didYouMean(word, flags)).toBeUndefined();
});
