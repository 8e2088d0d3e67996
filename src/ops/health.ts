/** What stands in the way, and where. */
export interface Reason {
  readonly part: string;
  /** For people: what is wrong or missing. */
  readonly reason: string;
}

export interface Verdict {
  readonly ok: boolean;
  /** Empty where it is ok. */
  readonly reasons: readonly Reason[];
}

/** Says what is missing; undefined where nothing is. Called at each look: it must be cheap and must not throw. */
export type Check = () => string | undefined;

/** How a part of the data path shows that it moves. */
export interface Progress {
  /** It did something, and will again within its limit. */
  moved(): void;
  /** It has nothing to do until something else happens: a line, an answer of the store, room in a queue. */
  resting(): void;
}

interface Part {
  readonly limitMs: number;
  /** When it moved last; undefined while it rests. */
  movedAt: number | undefined;
}

/**
 * Two questions. Ready: does the agent collect and deliver now? A store that is down, or pods that are not known
 * yet, make it not ready, and nothing that a restart would mend. Live: does the data path still move? Only a part
 * that is stuck, by a fault of ours, makes it not live; then a restart helps, and loses nothing.
 */
export class Health {
  readonly #now: () => number;
  readonly #checks = new Map<string, Check>();
  readonly #parts = new Map<string, Part>();
  readonly #stuckChecks = new Map<string, Check>();

  /** @param now milliseconds of a clock that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Makes readiness depend on a check, until the function that it returns is called.
   *
   * @param part names it in the answer, for example `pods` or `writer etcd`; one check a name.
   */
  needs(part: string, check: Check): () => void {
    this.#checks.set(part, check);
    return () => void this.#checks.delete(part);
  }

  /**
   * Makes liveness depend on a part that has to move. It rests until its first `moved()`.
   *
   * @param limitMs longest time, in milliseconds, from one move to the next, or to a rest.
   */
  watches(part: string, limitMs: number): Progress {
    const state: Part = { limitMs, movedAt: undefined };
    this.#parts.set(part, state);
    return {
      moved: () => void (state.movedAt = this.#now()),
      resting: () => void (state.movedAt = undefined),
    };
  }

  /** Makes liveness depend on a check, of a part that knows by itself whether it is stuck. */
  dies(part: string, stuck: Check): void {
    this.#stuckChecks.set(part, stuck);
  }

  ready(): Verdict {
    return verdict([...this.#checks].map(([part, check]) => ({ part, reason: check() })));
  }

  live(): Verdict {
    return verdict([
      ...[...this.#parts].map(([part, state]) => ({ part, reason: this.#stuck(state) })),
      ...[...this.#stuckChecks].map(([part, stuck]) => ({ part, reason: stuck() })),
    ]);
  }

  #stuck({ movedAt, limitMs }: Part): string | undefined {
    if (movedAt === undefined) return undefined;
    const forMs = this.#now() - movedAt;
    return forMs > limitMs ? `has not moved for ${Math.round(forMs / 1000)} s` : undefined;
  }
}

function verdict(found: readonly { part: string; reason: string | undefined }[]): Verdict {
  const reasons = found.flatMap(({ part, reason }) => (reason === undefined ? [] : [{ part, reason }]));
  return { ok: reasons.length === 0, reasons };
}
