import type { Log } from '../ops/log.ts';
import { pause } from './backoff.ts';
import type { MakeTail, Tail } from './tail.ts';
import type { ContainerTarget } from './targets.ts';

export interface FollowedContainerOptions {
  readonly target: ContainerTarget;
  readonly makeTail: MakeTail;
  readonly log: Log;
  /** A tail that ended by itself, which none does, is made anew after so long, in milliseconds. */
  readonly restartMs: number;
}

/** One container and its tail: one at a time, and a new one where the container is wanted again after it left. */
export class FollowedContainer {
  readonly #options: FollowedContainerOptions;
  #tail: Tail;
  #wanted = true;
  /** Of the tail that runs. */
  #draining = false;

  constructor(options: FollowedContainerOptions) {
    this.#options = options;
    this.#tail = options.makeTail(options.target, { held: false });
  }

  get target(): ContainerTarget {
    return this.#options.target;
  }
  get wanted(): boolean {
    return this.#wanted;
  }

  /** Read what is there, and end. */
  drain(): void {
    this.#wanted = false;
    if (this.#draining) return;
    this.#draining = true;
    this.#tail.drain();
  }

  /** The container is wanted again: a tail that is being drained is followed by another. */
  keep(): void {
    this.#wanted = true;
  }

  rescan(): void {
    this.#tail.rescan();
  }

  /** Resolves when the container is drained and still not wanted, or soon after the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { target, makeTail, log, restartMs } = this.#options;
    for (;;) {
      const error = await this.#tail.run(signal).then(
        () => undefined,
        (err: unknown) => ({ err }),
      );
      if (signal.aborted) return;
      if (error !== undefined || !this.#draining) {
        log.error(
          { ...error, directory: target.directory },
          'A tail ended by itself, which is a bug; starting it again',
        );
        await pause(restartMs, signal);
        if (signal.aborted) return;
      } else if (!this.#wanted) {
        return;
      }
      this.#tail = makeTail(target, { held: false });
      this.#draining = !this.#wanted;
      if (this.#draining) this.#tail.drain();
    }
  }
}
