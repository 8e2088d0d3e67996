import { describe, expect, it } from 'vitest';
import { Smallest } from '../../src/trace/smallest.ts';

const ascending = (a: number, b: number): number => a - b;

describe('Smallest', () => {
  it('keeps the smallest of all, in order, and says whether there were more', () => {
    const few = new Smallest<number>(3, ascending);
    for (const one of [5, 1, 4]) few.add(one);
    expect([few.sorted(), few.isCut]).toEqual([[1, 4, 5], false]);
    for (const one of [9, 2, 8, 3, 0]) few.add(one);
    expect([few.sorted(), few.isCut]).toEqual([[0, 1, 2], true]);
  });

  it('keeps what fits by weight, and never has more than twice that', () => {
    let held = 0;
    const some = new Smallest<number>(1_000, ascending, { of: (one) => one, most: 10 });
    for (const one of [6, 3, 2, 1, 5, 4]) some.add(one);
    held = some.sorted().reduce((sum, one) => sum + one, 0);
    expect([some.sorted(), some.isCut, held]).toEqual([[1, 2, 3, 4], true, 10]);
  });

  it('keeps one that weighs too much by itself', () => {
    const one = new Smallest<number>(1_000, ascending, { of: () => 50, most: 10 });
    for (const value of [3, 1, 2]) one.add(value);
    expect([one.sorted(), one.isCut]).toEqual([[1], true]);
  });
});
