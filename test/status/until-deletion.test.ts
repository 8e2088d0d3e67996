import { describe, expect, it } from 'vitest';
import { type RotatedFile, secondsUntilDeletion } from '../../src/status/until-deletion.ts';

const rotation = { maxSize: 1000, maxFiles: 5 };
const file = (part: Partial<RotatedFile> = {}): RotatedFile => ({
  generation: 0,
  live: false,
  deleted: false,
  size: 1000,
  unread: false,
  ...part,
});
const live = (part: Partial<RotatedFile> = {}) => file({ live: true, size: 0, ...part });

/** When a kubelet that behaves as the real one deletes the file `index`, by going through its rotations. */
function simulated(files: readonly RotatedFile[], index: number, bytesPerSecond: number): number {
  const rotated = files.slice(0, -1).map((_, number) => number);
  let number = files.length - 1;
  let size = files.at(-1)!.size;
  for (let seconds = 0; ; seconds += 10, size += 10 * bytesPerSecond) {
    if (size < rotation.maxSize) continue;
    while (rotated.length > rotation.maxFiles - 2) if (rotated.shift() === index) return seconds;
    rotated.push(number++);
    size = 0;
  }
}

describe('the time until the kubelet deletes unread data', () => {
  it('is never later than when a kubelet does, and at most one look and the overshoot per rotation sooner', () => {
    for (const bytesPerSecond of [1, 7, 40, 99, 100, 500]) {
      for (let rotated = 0; rotated <= 4; rotated++) {
        for (let unread = 0; unread <= rotated; unread++) {
          for (const size of [0, 400, 1000, 1700]) {
            const files = [...Array.from({ length: rotated }, () => file()), live({ size })].map(
              (one, index) => ({ ...one, unread: index >= unread }),
            );
            const told = secondsUntilDeletion(files, bytesPerSecond, rotation)!;
            const real = simulated(files, unread, bytesPerSecond);
            expect(told).toBeLessThanOrEqual(real);
            expect(real - told).toBeLessThanOrEqual(10 * rotation.maxFiles);
          }
        }
      }
    }
  });

  it('counts a live file that is just being made', () => {
    const files = [file({ unread: true }), file()];
    const whole = [...files, live()];
    expect(secondsUntilDeletion(files, 10, rotation)).toBe(secondsUntilDeletion(whole, 10, rotation));
  });

  it('is 0 for what only an open descriptor keeps', () => {
    expect(secondsUntilDeletion([file({ deleted: true, unread: true }), live()], 10, rotation)).toBe(0);
    // A deleted file takes no place among the kubelet's.
    const files = [file({ deleted: true }), file({ unread: true }), live()];
    expect(secondsUntilDeletion(files, 10, rotation)).toBe(
      secondsUntilDeletion(files.slice(1), 10, rotation),
    );
  });

  it('is unknown where nothing is unread, nothing is written, or an earlier run of the container wrote it', () => {
    expect(secondsUntilDeletion([], 10, rotation)).toBeUndefined();
    expect(secondsUntilDeletion([file(), live()], 10, rotation)).toBeUndefined();
    expect(secondsUntilDeletion([live({ unread: true })], 0, rotation)).toBeUndefined();
    expect(
      secondsUntilDeletion([live({ unread: true }), live({ generation: 1 })], 10, rotation),
    ).toBeUndefined();
  });
});
