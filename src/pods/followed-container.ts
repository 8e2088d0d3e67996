import type { Log } from '../ops/log.ts';
import { Repeated } from '../ops/repeated.ts';
import { steadyNow } from '../util/steady-now.ts';
import { pause } from './backoff.ts';
import type { MakeTail, Tail } from './tail.ts';
import type { ContainerTarget } from './targets.ts';

export interface FollowedContainerOptions {
  readonly target: ContainerTarget;
  readonly makeTail: MakeTail;
  readonly log: Log;
  /** Whether it is wanted is not known yet: see MakeTailOptions. */
  readonly held: boolean;
  /** Nothing of it can have been there before, as `steadyNow`. */
  readonly since: number;
  /** A tail that ended by itself, which none does, is made anew after so long, in milliseconds. */
  readonly restartMs: number;
}

/** One container and its tail: one at a time, and a new one where the container is wanted again after it left. */
export class FollowedContainer {
  readonly #options: FollowedContainerOptions;
  #tail: Tail;
  #wanted = true;
  #held: boolean;
  /** Of the tail that runs. */
  #draining = false;
  /** Since when another tail than the one at hand is wanted, as `steadyNow`. */
  #nextSince: number | undefined;

  constructor(options: FollowedContainerOptions) {
    this.#options = options;
    const { held, since, target, makeTail } = options;
    this.#held = held;
    this.#tail = makeTail(target, { held, since });
  }

  get target(): ContainerTarget {
    return this.#options.target;
  }
  get wanted(): boolean {
    return this.#wanted;
  }

  /** Nobody has said that it is wanted, and so nothing of it was read. */
  get held(): boolean {
    return this.#held;
  }

  /** Until when, as `steadyNow`, all that it wrote and that is wanted is in the care of a tail. */
  get seenTo(): number {
    return this.#nextSince ?? Infinity;
  }

  /** Opens what is there now. */
  open(): void {
    this.#tail.open();
  }

  /** Read what is there, and end; where it is held, end. */
  drain(): void {
    this.#wanted = false;
    this.#nextSince = undefined;
    if (this.#draining) return;
    this.#draining = true;
    if (this.#held) this.#tail.letGo();
    else this.#tail.drain();
  }

  /**
   * The container is wanted, maybe again: a tail that is being drained goes on, as the store may keep it from its end
   * for long, while what is written since is deleted. One that has ended is followed by another.
   */
  keep(): void {
    this.#wanted = true;
    if (this.#draining && this.#tail.resume()) this.#draining = false;
    if (this.#draining) this.#nextSince ??= steadyNow();
    if (!this.#held) return;
    this.#held = false;
    this.#tail.release();
  }

  rescan(): void {
    this.#tail.rescan();
  }

  /**
   * Resolves when the container is drained and still not wanted, when nothing is left of one that is held, or soon
   * after the signal aborts.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { target, makeTail, log, restartMs } = this.#options;
    const repeated = new Repeated(log);
    for (;;) {
      const error = await this.#tail.run(signal).then(
        () => undefined,
        (err: unknown) => ({ err }),
      );
      if (signal.aborted || (error === undefined && this.#held)) return;
      if (error !== undefined || !this.#draining) {
        this.#nextSince = -Infinity;
        repeated.problem(
          'ended',
          `A tail ${error === undefined ? 'ended by itself' : 'failed'}, which is a bug; starting it again`,
          { ...error, directory: target.directory },
          'error',
        );
        await pause(restartMs, signal);
        if (signal.aborted) return;
      } else if (!this.#wanted) {
        return;
      }
      this.#tail = makeTail(target, { held: this.#held, since: this.#nextSince ?? -Infinity });
      this.#nextSince = undefined;
      this.#draining = false;
      if (!this.#wanted) this.drain();
    }
  }
}
