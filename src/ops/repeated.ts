import type { Log } from './log.ts';

/** A message of a problem that stands. */
interface Said {
  at: number;
  level: 'warn' | 'error';
  /** Met since, and not told yet. */
  folded: number;
  details: Readonly<Record<string, unknown>>;
}

/** A problem that is known and not resolved yet. */
interface Standing {
  readonly since: number;
  /** How often it was met, the first time included. */
  times: number;
  /** Its messages, the one said longest ago first. */
  readonly said: Map<string, Said>;
}

export interface RepeatedOptions {
  /** The same message is said again after this long at the earliest, in milliseconds. Default 60,000. */
  readonly everyMs?: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

const mostKeys = 1_000;
const mostMessages = 16;

/**
 * Says a problem when it begins, again when its message changes or after a while (with how often it was met),
 * and once when it ends: a store that is down for an hour is a few lines of log and not a million. No count is
 * kept to itself: what was folded is told after that while even if the problem is not met any more.
 */
export class Repeated {
  readonly #log: Log;
  readonly #everyMs: number;
  readonly #now: () => number;
  readonly #standing = new Map<string, Standing>();
  #timer: NodeJS.Timeout | undefined;

  constructor(log: Log, { everyMs = 60_000, now = () => performance.now() }: RepeatedOptions = {}) {
    this.#log = log;
    this.#everyMs = everyMs;
    this.#now = now;
  }

  /**
   * The problem `key` was met (again). It is warned of unless this very message was said a short while ago.
   *
   * @param message what is wrong; without numbers that differ each time, which belong in `details`.
   * @param details members of the log line; an error as `err`.
   */
  problem(
    key: string,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    level: 'warn' | 'error' = 'warn',
  ): void {
    const now = this.#now();
    const standing = this.#standing.get(key) ?? this.#begin(key, now);
    standing.times += 1;
    const said = standing.said.get(message);
    if (said !== undefined && now - said.at < this.#everyMs) {
      said.folded += 1;
      said.details = details;
      if (this.#timer === undefined) this.#tellFoldedIn(this.#everyMs);
      return;
    }
    this.#say(standing, message, { at: now, level, folded: 0, details });
  }

  /** The problem is over: said once, with how long it was there; nothing where there was none. */
  resolved(key: string, message: string): void {
    const standing = this.#standing.get(key);
    if (standing === undefined) return;
    this.#standing.delete(key);
    this.#log.info({ times: standing.times, forSeconds: seconds(this.#now() - standing.since) }, message);
  }

  #begin(key: string, now: number): Standing {
    const standing: Standing = { since: now, times: 0, said: new Map() };
    this.#standing.set(key, standing);
    dropOldest(this.#standing, mostKeys);
    return standing;
  }

  #say(standing: Standing, message: string, said: Said): void {
    const { at, level, details } = said;
    standing.said.delete(message);
    standing.said.set(message, said);
    dropOldest(standing.said, mostMessages);
    this.#log[level](
      standing.times === 1
        ? details
        : { ...details, times: standing.times, forSeconds: seconds(at - standing.since) },
      message,
    );
  }

  #tellFolded(): void {
    this.#timer = undefined;
    const now = this.#now();
    let next = Infinity;
    for (const standing of this.#standing.values()) {
      for (const [message, { at, folded, ...said }] of standing.said) {
        if (folded === 0) continue;
        if (now - at >= this.#everyMs) this.#say(standing, message, { ...said, at: now, folded: 0 });
        else next = Math.min(next, at + this.#everyMs - now);
      }
    }
    if (next !== Infinity) this.#tellFoldedIn(Math.max(1, next));
  }

  #tellFoldedIn(ms: number): void {
    this.#timer = setTimeout(() => this.#tellFolded(), ms).unref();
  }
}

/** A map's first key is the one set longest ago. */
function dropOldest(map: Map<string, unknown>, most: number): void {
  if (map.size <= most) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}
