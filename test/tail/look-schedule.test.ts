import { describe, expect, it } from 'vitest';
import { type Containers, LookSchedule } from '../../src/tail/look-schedule.ts';
import { TIMING } from '../../src/tail/timing.ts';

const START = 1_800_000;

/** How long after a look the next one is due, on a node of so many containers. @param wroteAgo milliseconds. */
function pause(containers: Containers, wroteAgo: number): number {
  const looks = new LookSchedule(TIMING);
  looks.due(START, containers, START - 60_000);
  // Not new any more.
  const now = Math.max(looks.next, START + 18_000);
  looks.due(now, containers, now - wroteAgo);
  return looks.next - now;
}

describe('looks at a container', () => {
  it('every 50 ms while it writes, and every half second once it is quiet', () => {
    expect(pause({ size: 1, busy: 1 }, 0)).toBe(50);
    expect(pause({ size: 1, busy: 0 }, 10_000)).toBe(500);
  });

  it('the less often the more of them write, up to 1.8 s; those that are quiet do not count', () => {
    expect(pause({ size: 500, busy: 12 }, 0)).toBe(50);
    expect(pause({ size: 500, busy: 50 }, 0)).toBe(200);
    expect(pause({ size: 500, busy: 100 }, 0)).toBe(400);
    expect(pause({ size: 5_000, busy: 5_000 }, 0)).toBe(1_800);
  });

  it('that is quiet the less often the more there are, up to 0.9 s', () => {
    expect(pause({ size: 200, busy: 0 }, 10_000)).toBe(500);
    expect(pause({ size: 5_000, busy: 5_000 }, 10_000)).toBe(900);
  });

  it('takes one that is new for busy, until it has been quiet for ten seconds', () => {
    const looks = new LookSchedule(TIMING);
    looks.due(START, { size: 1, busy: 0 }, 0);
    expect(looks.busy).toBe(true);
    looks.due(START + 10_000, { size: 1, busy: 1 }, 0);
    expect(looks.busy).toBe(false);
  });
});
