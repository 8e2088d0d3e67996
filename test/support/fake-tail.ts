import type { MakeTail, Tail } from '../../src/pods/tail.ts';
import type { ContainerTarget } from '../../src/pods/targets.ts';

interface FakeTailsOptions {
  readonly endWhenDrained: boolean;
  /** Whether one that is being drained goes on when it is wanted again. */
  readonly resume: boolean;
}

/** Remembers what it was told, and ends when it is drained (by default), told to, or stopped. */
export class FakeTail implements Tail {
  readonly target: ContainerTarget;
  readonly #ended = Promise.withResolvers<void>();
  readonly #endsWhenDrained: boolean;
  readonly #resumes: boolean;
  #over = false;
  started = false;
  drained = false;
  ended = false;
  rescans = 0;
  opened = false;
  held: boolean;

  constructor(target: ContainerTarget, held: boolean, { endWhenDrained, resume }: FakeTailsOptions) {
    this.target = target;
    this.held = held;
    this.#endsWhenDrained = endWhenDrained;
    this.#resumes = resume;
  }

  async run(signal: AbortSignal): Promise<void> {
    this.started = true;
    if (signal.aborted) this.end();
    signal.addEventListener('abort', () => this.end());
    await this.#ended.promise;
    this.ended = true;
  }
  drain(): void {
    this.drained = true;
    if (this.#endsWhenDrained) this.end();
  }
  resume(): boolean {
    if (!this.#resumes || this.#over) return false;
    this.drained = false;
    return true;
  }
  rescan(): void {
    this.rescans += 1;
  }

  open(): void {
    this.opened = true;
  }
  release(): void {
    this.held = false;
  }
  letGo(): void {
    if (this.held) this.end();
  }

  end(): void {
    this.#over = true;
    this.#ended.resolve();
  }
  fail(error: Error): void {
    this.#ended.reject(error);
  }
}

/** The tails that were made, in order. */
export class FakeTails implements FakeTailsOptions {
  readonly all: FakeTail[] = [];
  endWhenDrained = true;
  resume = true;

  readonly make: MakeTail = (target, { held }) => {
    const tail = new FakeTail(target, held, this);
    this.all.push(tail);
    return tail;
  };

  /** `pod/container` of the tails that run, read, and are not drained. */
  get following(): string[] {
    return this.#names(({ held, drained }) => !held && !drained);
  }

  /** The same of those that are held. */
  get holding(): string[] {
    return this.#names(({ held }) => held);
  }

  #names(which: (tail: FakeTail) => boolean): string[] {
    return this.all
      .filter((tail) => tail.started && !tail.ended && which(tail))
      .map(({ target }) => `${target.pod}/${target.container}`)
      .sort();
  }
}
