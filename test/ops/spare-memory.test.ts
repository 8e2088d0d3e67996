import { expect, it, vi } from 'vitest';
import { SpareMemory } from '../../src/ops/spare-memory.ts';

it('gives memory back once for each rest, when nothing was read for ten seconds', () => {
  const collect = vi.fn<(options: unknown) => Promise<void>>();
  const spare = new SpareMemory(collect);
  const collections = (now: number, lastRead: number): number => {
    spare.look(now, lastRead);
    return collect.mock.calls.length;
  };
  expect(collections(9_000, 0)).toBe(0);
  expect(collections(10_000, 0)).toBe(1);
  expect(collections(60_000, 0)).toBe(1);
  expect(collections(61_000, 60_500)).toBe(1);
  expect(collections(71_000, 60_500)).toBe(2);
  expect(collect).toHaveBeenCalledWith({ type: 'major', execution: 'sync', flavor: 'last-resort' });
});

it('does nothing where Node runs without --expose-gc', () => {
  expect(() => new SpareMemory(undefined).look(60_000, 0)).not.toThrow();
});
