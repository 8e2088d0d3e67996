/** A container's lines that lack their end, as the budget sees them. */
export interface PartialKeeper {
  /** Forgets the bytes of them: they will be skipped as too long. */
  giveUp(): void;
}

interface Kept {
  bytes: number;
  /** How many turns there had been when it was last told to wait. */
  waitedAt: number;
}

/** What a fragment costs beside its bytes: its claim, its place, its buffer. */
export const FRAGMENT_BYTES = 256;
/** So much a container may keep whatever the others do, in bytes: it never waits for lines of a few fragments. */
const ALWAYS_BYTES = 64 * 1024;

/**
 * Bounds what the begins of lines whose end is still to come take of memory, over all containers. Beyond the budget
 * the containers that keep most of it wait, and one at a time reads on, to the end of its line, which gives its
 * bytes back. A line whose end nobody writes gives nothing back: at twice the budget the one that has grown least
 * lately is given up.
 */
export class PartialBudget {
  readonly #budget: number;
  readonly #onGivenUp: () => void;
  #used = 0;
  /** The one that has grown last comes last. */
  readonly #keepers = new Map<PartialKeeper, Kept>();
  #turn: PartialKeeper | undefined;
  #turns = 0;

  /**
   * @param bytes no less than the longest record; twice of it is the most that is ever kept.
   * @param onGivenUp a line was given up for want of room.
   */
  constructor(bytes: number, onGivenUp: () => void) {
    this.#budget = bytes;
    this.#onGivenUp = onGivenUp;
  }

  /** Bytes that are kept now. */
  get used(): number {
    return this.#used;
  }

  /** So much is kept from now on for this container, in bytes. */
  keeps(keeper: PartialKeeper, bytes: number): void {
    const kept = this.#keepers.get(keeper);
    const grown = bytes - (kept?.bytes ?? 0);
    this.#used += grown;
    if (grown > 0 || bytes === 0) this.#keepers.delete(keeper);
    else if (kept !== undefined) kept.bytes = bytes;
    if (grown > 0) this.#keepers.set(keeper, { bytes, waitedAt: kept?.waitedAt ?? -1 });
    if (grown > 0 && this.#used > 2 * this.#budget) this.#giveUp();
  }

  /** Whether the container may read on; where it may not, it asks again. */
  mayReadOn(keeper: PartialKeeper): boolean {
    const kept = this.#keepers.get(keeper);
    if (this.#used <= this.#budget || kept === undefined || kept.bytes <= ALWAYS_BYTES) return true;
    // The one whose turn it was has not read since this one last asked: it has nothing to read.
    const idle = this.#turn === undefined || !this.#keepers.has(this.#turn) || kept.waitedAt === this.#turns;
    if (this.#turn !== keeper && !idle) {
      kept.waitedAt = this.#turns;
      return false;
    }
    this.#turn = keeper;
    this.#turns++;
    return true;
  }

  #giveUp(): void {
    for (const keeper of this.#keepers.keys()) {
      if (this.#used <= 2 * this.#budget) return;
      this.#onGivenUp();
      keeper.giveUp();
    }
  }
}
