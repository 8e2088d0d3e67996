import { lstatSync, type Stats, statSync } from 'node:fs';
import { steadyNow } from '../util/steady-now.ts';
import { type Watch, type WatchEntries, watchFew } from './watch-entries.ts';

export interface KeepLookingOptions {
  /** Whose entries are looked at; it need not exist. */
  readonly path: string;
  /** A link to a directory will do. */
  readonly linkAllowed: boolean;
  /**
   * Looks at the entries; asked for again and again, and never twice at once. It must not throw.
   *
   * @returns false where they could not be seen, to be asked again at the next rescan in any case.
   */
  readonly look: () => Promise<boolean>;
  /** Whether a change is to be told by the system, which costs memory; asked at every look. True by default. */
  readonly watched?: () => boolean;
  /** How; `watchFew` by default. */
  readonly watchEntries?: WatchEntries;
  /**
   * The longest time until a change is seen, in milliseconds, where no watch is to be had; with one, thrice as long,
   * since events get lost.
   */
  readonly rescanMs: number;
  /** The same while the path does not exist. */
  readonly missingMs: number;
  /** The path, or a part of it, cannot be watched; looking goes on every `rescanMs`. */
  readonly onError: (error: unknown) => void;
  /** No entry can have been there before, as `steadyNow`; unknown by default. */
  readonly since?: number;
}

/** Watching that failed is tried again after so long, in milliseconds. */
const watchAgainMs = 60_000;

/**
 * Looks at the entries of a directory at once, whenever one appears or goes, and now and then. What happens
 * within the entries is not watched: a line written to a container's log is no event.
 *
 * There is one for each pod, so a rescan that finds nothing must cost next to nothing: no thread, no signal of its
 * own, and a time at which all others look too, so that hundreds wake the process as seldom as one.
 */
export class KeepLooking {
  readonly #options: KeepLookingOptions;
  /** A look is due before its time. */
  #woken = false;
  #wakeUp: (() => void) | undefined;
  /** What was there at the last look; undefined for nothing, or where it could not be seen. */
  #seen: Identity | undefined;
  /** That look did not see what was there. */
  #unseen = true;
  #looking = false;
  #seenTo: number;

  constructor(options: KeepLookingOptions) {
    this.#options = options;
    this.#seenTo = options.since ?? -Infinity;
  }

  /**
   * Until when, as `steadyNow`, every entry that was there has been looked at. It asks the file system, which is
   * cheap, and looks soon where something has changed.
   */
  seenTo(): number {
    const now = steadyNow();
    if (this.#woken || this.#looking || this.#unseen) return this.#seenTo;
    if (this.#isAsSeen()) this.#seenTo = now;
    else this.wake();
    return this.#seenTo;
  }

  /** The same as it was known last. */
  get lastSeenTo(): number {
    return this.#seenTo;
  }

  /** Look again now. */
  wake(): void {
    this.#woken = true;
    this.#wakeUp?.();
  }

  #isAsSeen(): boolean {
    const { path, linkAllowed } = this.#options;
    const found = identity(path, linkAllowed);
    return found === undefined ? this.#seen === undefined : sameAs(found, this.#seen);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { path, linkAllowed, look, watched: wantsWatch = () => true, ...rest } = this.#options;
    const { rescanMs, missingMs, onError, watchEntries = watchFew } = rest;
    let watched: { readonly of: Identity; readonly watch: Watch } | undefined;
    const wakeUp = (): void => this.#wakeUp?.();
    signal.addEventListener('abort', wakeUp, { once: true });
    while (!signal.aborted) {
      const begun = steadyNow();
      let mustLook = this.#woken || this.#unseen;
      this.#woken = false;
      this.#looking = true;
      const found = identity(path, linkAllowed);
      if (watched !== undefined && (!isSame(watched.of, found) || watched.watch.failedFor() > watchAgainMs)) {
        await watched.watch.close();
        watched = undefined;
      }
      if (found !== undefined && watched === undefined && wantsWatch()) {
        watched = { of: found, watch: await watchEntries(path, { onEvent: () => this.wake(), onError }) };
        // What appeared before it began is no event.
        mustLook = true;
      }
      if (mustLook || found === undefined || !sameAs(found, this.#seen)) {
        this.#unseen = !(await look());
        this.#seen = found;
      }
      if (!this.#unseen) this.#seenTo = begun;
      this.#looking = false;
      const seldom = watched?.watch.failedFor() === 0 ? 3 * rescanMs : rescanMs;
      if (!signal.aborted) await this.#rest(found === undefined ? missingMs : seldom);
    }
    signal.removeEventListener('abort', wakeUp);
    await watched?.watch.close();
  }

  /** Until the next multiple of the period, or until woken. */
  async #rest(periodMs: number): Promise<void> {
    if (this.#woken) return;
    // A timer may come a fraction of a millisecond early.
    const waitMs = periodMs - ((performance.now() + 1) % periodMs);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wakeUp = undefined;
  }
}

/** Numbers, since it is asked for often: they tell times apart to a quarter of a microsecond. */
interface Identity {
  readonly dev: number;
  readonly ino: number;
  readonly birthtimeMs: number;
  /** When an entry last appeared or went, or the directory's own rights changed, in milliseconds. */
  readonly changedAt: number;
  /** By the clock, in milliseconds. */
  readonly readAt: number;
}

function isSame(one: Identity, other: Identity | undefined): boolean {
  return one.ino === other?.ino && one.dev === other.dev && one.birthtimeMs === other.birthtimeMs;
}

/** A rescan of a directory that has not changed is one stat and no more. */
function sameAs(found: Identity, seen: Identity | undefined): boolean {
  if (seen === undefined || !isSame(found, seen) || found.changedAt !== seen.changedAt) return false;
  // The file system's clock is coarse: what changed right before it was read may have changed after it too.
  return seen.readAt - seen.changedAt > 2_000;
}

function identity(path: string, linkAllowed: boolean): Identity | undefined {
  const readAt = Date.now();
  const found = statOf(path, linkAllowed);
  if (!found?.isDirectory()) return undefined;
  const { dev, ino, birthtimeMs, mtimeMs, ctimeMs } = found;
  return { dev, ino, birthtimeMs, changedAt: Math.max(mtimeMs, ctimeMs), readAt };
}

function statOf(path: string, linkAllowed: boolean): Stats | undefined {
  try {
    const options = { throwIfNoEntry: false } as const;
    return linkAllowed ? statSync(path, options) : lstatSync(path, options);
  } catch {
    return undefined; // Whatever is wrong with it, `look` meets the same and says so.
  }
}
