import type { MakeTail, Tail } from '../../src/pods/tail.ts';
import type { ContainerTarget } from '../../src/pods/targets.ts';

/** Remembers what it was told, and ends when it is drained (by default), told to, or stopped. */
export class FakeTail implements Tail {
  readonly target: ContainerTarget;
  readonly #ended = Promise.withResolvers<void>();
  readonly #endsWhenDrained: boolean;
  started = false;
  drained = false;
  ended = false;
  rescans = 0;

  constructor(target: ContainerTarget, endsWhenDrained: boolean) {
    this.target = target;
    this.#endsWhenDrained = endsWhenDrained;
  }

  async run(signal: AbortSignal): Promise<void> {
    this.started = true;
    signal.addEventListener('abort', () => this.end());
    await this.#ended.promise;
    this.ended = true;
  }
  drain(): void {
    this.drained = true;
    if (this.#endsWhenDrained) this.end();
  }
  rescan(): void {
    this.rescans += 1;
  }

  end(): void {
    this.#ended.resolve();
  }
  fail(error: Error): void {
    this.#ended.reject(error);
  }
}

/** The tails that were made, in order. */
export class FakeTails {
  readonly all: FakeTail[] = [];
  endWhenDrained = true;

  readonly make: MakeTail = (target) => {
    const tail = new FakeTail(target, this.endWhenDrained);
    this.all.push(tail);
    return tail;
  };

  /** `pod/container` of the tails that run and are not drained. */
  get following(): string[] {
    return this.all
      .filter(({ started, drained, ended }) => started && !drained && !ended)
      .map(({ target }) => `${target.pod}/${target.container}`)
      .sort();
  }
}
