import type { Log } from './log.ts';

/** A problem that is known and not resolved yet. */
interface Standing {
  readonly since: number;
  /** How often it was met, the first time included. */
  times: number;
  /** When each of its messages was last said, the one said longest ago first. */
  readonly said: Map<string, number>;
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
 * and once when it ends: a store that is down for an hour is a few lines of log and not a million.
 */
export class Repeated {
  readonly #log: Log;
  readonly #everyMs: number;
  readonly #now: () => number;
  readonly #standing = new Map<string, Standing>();

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
  problem(key: string, message: string, details: Readonly<Record<string, unknown>> = {}): void {
    const now = this.#now();
    const standing = this.#standing.get(key) ?? this.#begin(key, now);
    standing.times += 1;
    const saidAt = standing.said.get(message);
    if (saidAt !== undefined && now - saidAt < this.#everyMs) return;
    standing.said.delete(message);
    standing.said.set(message, now);
    dropOldest(standing.said, mostMessages);
    this.#log.warn(
      standing.times === 1
        ? details
        : { ...details, times: standing.times, forSeconds: seconds(now - standing.since) },
      message,
    );
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
