import { expect, it } from 'vitest';
import { Turns } from '../../src/tail/turns.ts';

it('serves first who waits longest, whoever asks first', () => {
  const turns = new Turns<string>();
  expect(['a', 'b', 'c'].map((who) => turns.mayTake(who, 0, 0))).toEqual([false, false, false]);
  expect(turns.mayTake('new', 1, 0)).toBe(false);
  expect(['c', 'b', 'a'].map((who) => turns.mayTake(who, 2, 0))).toEqual([false, true, true]);
  expect(turns.waiting(0)).toBe(2);
  // One that is served waits at the end for its next.
  expect(turns.mayTake('a', 1, 0)).toBe(false);
  expect(['a', 'new', 'c'].map((who) => turns.mayTake(who, 1, 0))).toEqual([false, false, true]);
});

it('takes nobody for waiting who has not asked for five seconds', () => {
  const turns = new Turns<string>();
  turns.mayTake('gone', 0, 0);
  turns.mayTake('a', 0, 3_000);
  expect(turns.mayTake('b', 1, 4_000)).toBe(false);
  expect(turns.mayTake('a', 1, 6_000)).toBe(true);
  expect(turns.waiting(6_000)).toBe(1);
});

it('lets everybody take while there is enough', () => {
  const turns = new Turns<string>();
  expect(turns.mayTake('a', 1, 0)).toBe(true);
  turns.mayTake('b', 0, 0);
  expect(turns.mayTake('c', 2, 0)).toBe(true);
});
