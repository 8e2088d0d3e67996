import { describe, expect, it } from 'vitest';
import type { SettledUntil } from '../../src/tail/settled-until.ts';
import { WallTimes } from '../../src/util/wall-times.ts';
import { Watermark } from '../../src/watermark/watermark.ts';

describe('the watermark of a node', () => {
  it('is the least of the directories and all containers, and says which of them', () => {
    const { watermark, seen, follow } = setUp();
    seen.to = 500;
    expect(watermark.now()).toMatchObject({ at: 500, restsOn: 'the log directories' });
    const [one, other] = [follow('a'), follow('b')];
    [one.at, other.at] = [510, 505];
    seen.to = 600;
    expect(watermark.now()).toMatchObject({ at: 505, restsOn: 'b' });
    other.at = 590;
    expect(watermark.now()).toMatchObject({ at: 510, restsOn: 'a' });
    one.at = 700;
    expect(watermark.now()).toMatchObject({ at: 590, restsOn: 'b' });
    other.at = 700;
    expect(watermark.now()).toMatchObject({ at: 600, restsOn: 'the log directories' });
  });

  it('is not known while a container, or the directories, are not', () => {
    const { watermark, seen, follow } = setUp();
    expect(watermark.now()).toEqual({
      at: undefined,
      lagSeconds: undefined,
      restsOn: 'the log directories',
    });
    seen.to = 500;
    const container = follow('a');
    expect(watermark.now()).toMatchObject({ at: undefined, restsOn: 'a' });
    container.at = 400;
    expect(watermark.now()).toMatchObject({ at: 400 });
  });

  it('never goes back, whatever comes', () => {
    const { watermark, seen, follow } = setUp();
    seen.to = 500;
    watermark.now();
    // An older container that was not known of; the directories, which something is wrong with.
    follow('late').at = 300;
    expect(watermark.now()).toMatchObject({ at: 500, restsOn: 'late' });
    seen.to = -Infinity;
    expect(watermark.now()).toMatchObject({ at: 500 });
  });

  it('waits for a container that has ended until all of it is settled, and for no longer', () => {
    const { watermark, seen, follow } = setUp();
    const container = follow('a');
    container.at = 400;
    seen.to = 600;
    expect(watermark.now()).toMatchObject({ at: 400, restsOn: 'a' });
    container.at = Infinity;
    expect(watermark.now()).toMatchObject({ at: 600 });
    // What ended counts no more, whatever it says.
    container.at = 100;
    seen.to = 700;
    expect(watermark.now()).toMatchObject({ at: 700, restsOn: 'the log directories' });
  });

  it('is by the wall clock, and where that was set back no later than what lines may be stamped with', () => {
    const { watermark, seen, clock } = setUp();
    clock.wallAhead = 1_000_000;
    seen.to = 900;
    watermark.now();
    seen.to = clock.steady = 2_000;
    expect(watermark.now().at).toBe(1_002_000);
    clock.steady = 3_000;
    clock.wallAhead = 999_500;
    seen.to = 2_500;
    expect(watermark.now().at).toBe(1_002_000);
    seen.to = clock.steady = 3_400;
    expect(watermark.now().at).toBe(1_002_900);
  });
});

/** A watermark over directories and containers that say what a test wants. */
function setUp() {
  const clock = { steady: 1_000, wallAhead: 0 };
  const seen = { to: -Infinity };
  const times = new WallTimes(
    () => clock.steady,
    () => clock.steady + clock.wallAhead,
  );
  const watermark = new Watermark({ seenTo: () => seen.to, times });
  const follow = (name: string) => {
    const container = { at: -Infinity };
    watermark.follow({ at: () => container.at } as unknown as SettledUntil, name);
    return container;
  };
  return { watermark, seen, clock, follow };
}
