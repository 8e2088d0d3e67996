import { describe, expect, it } from 'vitest';
import type { InFlight } from '../../src/offsets/in-flight.ts';
import type { ContainerOffsets } from '../../src/offsets/offset-store.ts';
import type { FileTail } from '../../src/tail/file-tail.ts';
import { SettledUntil } from '../../src/tail/settled-until.ts';

type Part = Partial<Record<'isOpen' | 'doubtful' | 'finished' | 'forgotten', boolean>>;

/** A file of 100 bytes all of which are read and settled, as far as is known, but for `part`. */
function file({ compressed = false, limit = Infinity, ...part }: Part & Record<string, unknown> = {}) {
  const window = { committed: 100, readTo: 100, settled: true, settledTo: () => 100 };
  return {
    window: window as unknown as InFlight,
    finished: false,
    forgotten: false,
    isOpen: true,
    doubtful: false,
    entry: { compressed },
    stat: { size: 100 },
    position: 100,
    taken: 100,
    limit,
    ...part,
  } as unknown as FileTail;
}

function settled(): SettledUntil {
  const offsets = { files: new Map() } as unknown as ContainerOffsets;
  return new SettledUntil({ offsets, since: 0, waiting: () => [] });
}

/** A minute on. */
const later = 61_000;

describe('up to when a container is settled, by what is known of where its files end', () => {
  it('is when they were looked at, where they end at what is settled', () => {
    const until = settled();
    until.note(1_000, [file()]);
    expect(until.at(later)).toBe(1_000);
  });

  it.each([
    ['is compressed: its size says nothing', file({ compressed: true })],
    ['is not open: it may have grown', file({ isOpen: false })],
    ['may have been truncated, or be another', file({ doubtful: true })],
  ])('does not go on for a file that %s', (_, unknown) => {
    const until = settled();
    until.note(1_000, [file(), unknown]);
    expect(until.at(later)).toBe(0);
  });

  it.each([
    ['compressed', { compressed: true }],
    ['closed', { isOpen: false }],
  ])('goes on for a %s file that is read to its end', (_, part) => {
    const until = settled();
    until.note(1_000, [file({ ...part, finished: true })]);
    expect(until.at(later)).toBe(1_000);
  });

  it('goes on only as far as the marks are reached, the older before the newer', () => {
    const until = settled();
    const growing = file({ position: 300, taken: 300, stat: { size: 200 } });
    until.note(1_000, [growing]);
    Object.assign(growing, { stat: { size: 300 } });
    until.note(2_000, [growing]);
    expect(until.at(2_000)).toBe(0);
    Object.assign(growing.window, { committed: 200 });
    expect(until.at(2_000)).toBe(1_000);
    Object.assign(growing.window, { committed: 299 });
    expect(until.at(2_000)).toBe(1_000);
    Object.assign(growing.window, { committed: 300 });
    expect(until.at(2_000)).toBe(2_000);
  });

  it('forgets every second mark where many wait, and never the last', () => {
    const until = settled();
    const stuck = file({ position: 100_000, stat: { size: 0 } });
    for (let n = 1; n <= 200; n++) {
      Object.assign(stuck, { stat: { size: 1_000 + n } });
      until.note(n * 1_000, [stuck]);
    }
    Object.assign(stuck.window, { committed: 1_200 });
    expect(until.at(200_000)).toBe(200_000);
    // However many were noted, what is said on the way is one that was.
    const other = settled();
    for (let n = 1; n <= 65; n++) {
      Object.assign(stuck, { stat: { size: 1_000 + n } });
      Object.assign(stuck.window, { committed: 0, settledTo: () => 0 });
      other.note(n * 1_000, [stuck]);
    }
    Object.assign(stuck.window, { committed: 1_064 });
    expect(other.at(65_000)).toBe(64_000);
  });
});
