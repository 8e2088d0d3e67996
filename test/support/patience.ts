interface Answer {
  /** When the agent was asked. */
  readonly asked: number;
  /** How much time it had had by then. */
  readonly had: number;
}

/** What one answer is worth at most, in milliseconds: the agent is asked four times a second. */
const WORTH_MS = 300;
/** Longest look back, in milliseconds of what the agent had. */
const KEPT_MS = 20_000;

/**
 * How much time the agent has had, in one life of it. Time goes by for it only as it answers: on a machine that
 * gives it no processor it answers late, and a correct agent is as quick as ever in this time.
 */
export class Patience {
  #startedAt = 0;
  #first: Answer | undefined;
  /** The latest ones, the oldest first. */
  #answers: Answer[] = [];

  /** The agent begins a new life. */
  restart(now: number): void {
    this.#startedAt = now;
    this.#first = undefined;
    this.#answers = [];
  }

  /** Notes an answer. False where it is of an earlier life. */
  answered(asked: number): boolean {
    if (asked < this.#startedAt) return false;
    const last = this.#answers.at(-1);
    const had = last === undefined ? 0 : last.had + Math.min(asked - last.asked, WORTH_MS);
    this.#answers.push({ asked, had });
    this.#first ??= this.#answers[0];
    while (had - this.#answers[0]!.had > KEPT_MS) this.#answers.shift();
    return true;
  }

  /** Whether the agent had answered by then. */
  answeredBy(time: number): boolean {
    return this.#first !== undefined && this.#first.asked <= time;
  }

  /** How much time the agent has had, in milliseconds. */
  get had(): number {
    return this.#answers.at(-1)?.had ?? 0;
  }

  /** How much of it since that time; at most some 20,000. */
  hadSince(time: number): number {
    const before = this.#answers.find(({ asked }) => asked >= time);
    return before === undefined ? 0 : this.had - before.had;
  }

  /** When it was last asked that has had so much time since; undefined where it was not. */
  askedBefore(ms: number): number | undefined {
    return this.#answers.findLast((answer) => this.had - answer.had >= ms)?.asked;
  }
}
