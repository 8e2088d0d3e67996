import { expect, it, vi } from 'vitest';
import { lastingPort } from './free-ports.ts';

it('a lasting port that nothing listens on yet is given to nobody else', async () => {
  const random = vi.spyOn(Math, 'random').mockReturnValueOnce(0.5).mockReturnValueOnce(0.5);
  const [first, second] = [await lastingPort(), await lastingPort()];
  expect(random.mock.calls.length).toBeGreaterThan(2);
  expect(second).not.toBe(first);
});
