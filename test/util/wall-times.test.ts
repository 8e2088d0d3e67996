import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WallTimes } from '../../src/util/wall-times.ts';

function clocks() {
  const at = { steady: 1_000_000, ahead: 0 };
  const times = new WallTimes(
    () => at.steady,
    () => Math.floor(at.steady + at.ahead),
  );
  return { at, times };
}

describe('times by the wall clock', () => {
  it('are those of the steady clock while nobody sets it', () => {
    const { at, times } = clocks();
    at.steady += 500;
    times.look();
    expect(times.earliestSince(1_000_200)).toBe(1_000_200);
  });

  it('follow a clock that is set forwards', () => {
    const { at, times } = clocks();
    at.steady += 1_000;
    at.ahead = 3_600_000;
    times.look();
    at.steady += 1_000;
    times.look();
    expect(times.earliestSince(1_001_500)).toBe(1_001_500 + 3_600_000);
    expect(times.earliestSince(999_000)).toBe(999_000);
  });

  it('are the earliest that was shown since, where the clock is set back', () => {
    const { at, times } = clocks();
    at.steady += 10_000;
    times.look();
    at.steady += 1_000;
    at.ahead = -5_000;
    times.look();
    // It may have been set right after the look before.
    expect(times.earliestSince(1_009_000)).toBe(1_010_000 - 5_000);
    expect(times.earliestSince(1_004_000)).toBe(1_004_000);
    expect(times.earliestSince(1_012_000)).toBe(1_007_000);
  });

  it('are never later than a stamp that was made since, however often the clock is set', () => {
    const step = fc.record({
      steady: fc.integer({ min: 1, max: 5_000 }),
      set: fc.option(fc.integer({ min: -10_000, max: 10_000 })),
      look: fc.boolean(),
    });
    const result = fc.check(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(), (steps, pick) => {
        const { at, times } = clocks();
        const stamps: { steady: number; wall: number }[] = [];
        for (const { steady, set, look } of steps) {
          at.steady += steady;
          // What is set and set back between two looks goes unseen: so it is looked at before.
          if (set !== null) {
            times.look();
            at.steady += 1;
            at.ahead += set;
            stamps.push({ steady: at.steady, wall: at.steady + at.ahead });
            at.steady += 1;
            times.look();
          }
          stamps.push({ steady: at.steady, wall: at.steady + at.ahead });
          if (look) times.look();
        }
        times.look();
        const since = 1_000_000 + (pick % (at.steady - 1_000_000 + 1));
        const earliest = times.earliestSince(since);
        return stamps.every((stamp) => stamp.steady < since || earliest <= stamp.wall);
      }),
      { numRuns: 2_000 },
    );
    expect(result.counterexample).toBeNull();
  });
});
