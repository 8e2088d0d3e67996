interface Answer {
  /** When the agent was asked, and how many rounds it had made when it answered. */
  readonly asked: number;
  readonly rounds: number;
}

/** Longest look back, in rounds. */
const KEPT_ROUNDS = 400;

/** How much the agent has had the time to do, in rounds of its read loop, in one life of it. */
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

  /** Notes an answer. False where it is of an earlier life, or came too late to tell anything. */
  answered(asked: number, rounds: number): boolean {
    const last = this.#answers.at(-1);
    if (asked < this.#startedAt || (last !== undefined && rounds < last.rounds)) return false;
    this.#answers.push({ asked, rounds });
    this.#first ??= this.#answers[0];
    while (rounds - this.#answers[0]!.rounds > KEPT_ROUNDS) this.#answers.shift();
    return true;
  }

  /** Whether the agent had answered by then. */
  answeredBy(time: number): boolean {
    return this.#first !== undefined && this.#first.asked <= time;
  }

  /** So many rounds the agent has made for sure since that time, as far as it has said; at most some 400. */
  roundsSince(time: number): number {
    const before = this.#answers.find(({ asked }) => asked >= time);
    return before === undefined ? 0 : this.#answers.at(-1)!.rounds - before.rounds;
  }

  /** When it was last asked so many rounds ago or more; undefined where it was not. */
  askedBefore(rounds: number): number | undefined {
    const now = this.#answers.at(-1)?.rounds ?? 0;
    return this.#answers.findLast((answer) => now - answer.rounds >= rounds)?.asked;
  }
}
