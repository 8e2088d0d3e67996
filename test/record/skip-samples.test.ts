import { expect, test } from 'vitest';
import { SkipSamples } from '../../src/record/skip-samples.ts';
import { sliceOf, sliceOfAll } from '../../src/util/byte-slice.ts';

test('one line is kept for each reason, of the younger half, as text and not too long', () => {
  const samples = new SkipSamples();
  for (let i = 1; i <= 1000; i++) samples.note('not_json', sliceOf(`line ${i}`));
  samples.note('no_time', sliceOfAll([Buffer.from('grüße'.repeat(200))]));
  expect(samples.get('not_json')).toMatchObject({ text: 'line 512', at: expect.closeTo(Date.now(), -4) });
  expect(samples.get('no_time')?.text).toMatch(/^grüßegrüße.*…$/);
  expect(samples.get('no_time')?.text.length).toBeLessThanOrEqual(401);
  expect(samples.get('bad_time')).toBeUndefined();
});
