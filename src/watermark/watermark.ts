import type { SettledUntil } from '../tail/settled-until.ts';
import type { WallTimes } from '../util/wall-times.ts';

/** What keeps a watermark from going on, for people. */
export interface Mark {
  /** Milliseconds since 1970, by the wall clock; undefined while it is not known. */
  readonly at: number | undefined;
  /** How far behind it is, in seconds. */
  readonly lagSeconds: number | undefined;
  /** The container, or the directories, that it rests on. */
  readonly restsOn: string;
}

export interface WatermarkOptions {
  /** Until when, by the steady clock, whatever selected containers wrote is in the care of a container's tail. */
  readonly seenTo: () => number;
  readonly times: WallTimes;
}

const DIRECTORIES = 'the log directories';

/**
 * The time up to which every line of every selected container of this node is settled: the least of all
 * containers', and of the time up to which all directories are known. It never goes back.
 */
export class Watermark {
  readonly #options: WatermarkOptions;
  readonly #containers = new Map<SettledUntil, string>();
  #at = -Infinity;

  constructor(options: WatermarkOptions) {
    this.#options = options;
  }

  /** This container counts from now on, until it has ended and all of it is settled. @param name for people. */
  follow(container: SettledUntil, name: string): void {
    this.#containers.set(container, name);
  }

  /** As it stands now; asked for now and then. */
  now(): Mark {
    const { seenTo, times } = this.#options;
    const now = times.look();
    let until = seenTo();
    let restsOn = DIRECTORIES;
    for (const [container, name] of this.#containers) {
      const at = container.at(now);
      if (at === Infinity) {
        this.#containers.delete(container);
      } else if (at < until) {
        until = at;
        restsOn = name;
      }
    }
    // With a clock that was set back nothing may be said that is later than what lines are stamped with.
    this.#at = Math.max(this.#at, times.earliestSince(until));
    if (this.#at === -Infinity) return { at: undefined, lagSeconds: undefined, restsOn };
    return { at: this.#at, lagSeconds: Math.max(0, Date.now() - this.#at) / 1_000, restsOn };
  }
}
