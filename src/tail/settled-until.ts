import type { Claim, InFlight } from '../offsets/in-flight.ts';
import type { ContainerOffsets } from '../offsets/offset-store.ts';
import type { FileTail } from './file-tail.ts';

/** How far a file must be settled for the mark to be reached. */
interface Ahead {
  readonly window: InFlight;
  /** Undefined where all that is left of it are lines in flight. */
  readonly file: FileTail | undefined;
  /** Offset; Infinity for the end of the file, wherever that is. */
  readonly end: number;
}

/** What the container's files held at one time. */
interface Mark {
  readonly at: number;
  readonly ahead: readonly Ahead[];
}

/** Between two marks, in milliseconds; where many wait, every second one is forgotten. */
const SPACING_MS = 500;
const MOST_MARKS = 64;
/** The end of a record whose begin was read is waited for so long; then it counts as not written yet. */
const REST_MS = 5_000;

export interface SettledUntilOptions {
  readonly offsets: ContainerOffsets;
  /** The lines that wait for the end of their record: see `LineSink.waiting`. */
  readonly waiting: () => readonly Claim[];
  /** Nothing can have been written before. All times here are those of the read loop. */
  readonly since: number;
}

/**
 * Until when all that a container wrote is settled: stored, skipped, dead-lettered or told as a gap. It notes now and
 * then how far the files reach, and finds later that they are settled to there: lines cost nothing.
 *
 * It is exact: whatever was in the files before that time is settled. A line counts as written when its last byte is
 * there, and a record when its last line is. What nobody had seen before it was gone is not known here.
 */
export class SettledUntil {
  readonly #options: SettledUntilOptions;
  #until: number;
  /** Oldest first. */
  #marks: Mark[] = [];
  #ended = false;

  constructor(options: SettledUntilOptions) {
    this.#options = options;
    this.#until = options.since;
  }

  /**
   * Notes that these files, as they were looked at last, hold all that had been written at a time.
   *
   * @param at taken before the files were looked at, and before their directory was.
   * @param files all of the container, but those that nothing more is to be read from.
   */
  note(at: number, files: readonly FileTail[]): void {
    if (at - (this.#marks.at(-1)?.at ?? this.#until) < SPACING_MS) return;
    // What is in doubt is read at once, and its end known at the next look. A mark at its unknown end would wait for more.
    if (files.some(isInDoubt)) return;
    const ahead = this.#ahead(files);
    if (ahead.length === 0) {
      this.#until = at;
      this.#marks = [];
      return;
    }
    // The last one stays the last, so that marks are spaced in any case.
    if (this.#marks.length >= MOST_MARKS) this.#marks = this.#marks.filter((_, index) => index % 2 === 1);
    this.#marks.push({ at, ahead });
  }

  /** A file turned out to be another than it was taken for: what was noted is void. */
  forget(): void {
    this.#marks = [];
  }

  /** No more will be read: what was is still to be settled. */
  end(): void {
    this.#ended = true;
    this.#marks = [{ at: Infinity, ahead: this.#ahead([]) }];
  }

  /** The container is not wanted: nothing is expected of it. */
  drop(): void {
    this.#ended = true;
    this.#marks = [{ at: Infinity, ahead: [] }];
  }

  /** Whether it has ended: then, once all is settled, `at` is Infinity. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Until when all is settled, as known now; it never goes back. */
  at(now: number): number {
    let [mark] = this.#marks;
    while (mark !== undefined && this.#reached(mark, now)) {
      this.#until = mark.at;
      this.#marks.shift();
      [mark] = this.#marks;
    }
    return this.#until;
  }

  /** At every look of every container: so without anything that the collector has to take away. */
  #ahead(files: readonly FileTail[]): Ahead[] {
    const ahead: Ahead[] = [];
    for (const file of files) {
      const { window } = file;
      const end = endOf(file);
      if (window.committed < end) ahead.push({ window, file, end });
    }
    this.#options.offsets.files.forEach(({ window }) => {
      if (window === undefined || window.settled || files.some((file) => file.window === window)) return;
      ahead.push({ window, file: undefined, end: window.readTo });
    });
    return ahead;
  }

  #reached({ at, ahead }: Mark, now: number): boolean {
    return ahead.every((one) => isPast(one) || (now - at >= REST_MS && this.#lacksOnlyRest(one)));
  }

  /** All lines up to there are settled, but those that wait for the end of their record. */
  #lacksOnlyRest({ window, file, end }: Ahead): boolean {
    const over = file === undefined || file.finished || file.forgotten;
    if (!over && file.position < end) return false;
    const lines = file === undefined ? end : Math.min(end, file.taken);
    return window.settledTo(new Set(this.#options.waiting())) >= lines;
  }
}

/** Offset behind all that is known to be in the file and to be read; of what is not known where it ends, Infinity. */
function endOf(file: FileTail): number {
  if (file.finished) return file.window.readTo;
  const isSeen = file.isOpen || (file.parked && !file.outOfSight);
  if (file.entry.compressed || !isSeen) return Infinity;
  return Math.min(file.stat.size, file.limit);
}

/** A plain file that may hold another log by now than the one that was read. */
function isInDoubt(file: FileTail): boolean {
  return !file.finished && !file.entry.compressed && file.doubtful;
}

function isPast({ window, file, end }: Ahead): boolean {
  if (window.committed >= end) return true;
  if (file === undefined) return false;
  // What is not to be had of it was told as a gap.
  return (file.finished || file.forgotten) && window.settled;
}
