import { setImmediate as breathe } from 'node:timers/promises';

/** A container as the read loop sees it. `now` is in milliseconds since 1970, of a clock that is never set. */
export interface Pollable {
  /** Looks what is new: cheap, never reads lines. True if `read` may find something. Never throws. */
  look(now: number): boolean;
  /** Reads one piece at most. True if there may be more at once. Never rejects. */
  read(now: number): Promise<boolean>;
}

/** Whether what comes after the tails has room; closed, nothing is read, but files are still looked after. */
export interface Gate {
  readonly open: boolean;
}

/** Looks come so often, in milliseconds. */
const TICK_MS = 50;
/** Reading lets timers and sockets have their turn after so long, in milliseconds. */
const BREATH_MS = 5;

/**
 * The one loop that reads: every container in turn, one piece each, so that a noisy one delays the others by a
 * piece a round and no more, and at most one piece is in memory that is not yet records. When the gate is closed
 * it does not read, but still looks: rotated files are opened before the kubelet deletes them.
 */
export class ReadLoop {
  readonly #gate: Gate;
  readonly #eachRound: (now: number) => void;
  readonly #tails = new Set<Pollable>();
  readonly #queue: Pollable[] = [];
  readonly #queued = new Set<Pollable>();
  #reading: { tail: Pollable; done: Promise<unknown> } | undefined;
  #wake: (() => void) | undefined;
  #added = false;
  /** Rounds of looks so far. */
  rounds = 0;

  /** @param eachRound called before every round of looks, when no read is under way. */
  constructor(gate: Gate, eachRound: (now: number) => void = () => undefined) {
    this.#gate = gate;
    this.#eachRound = eachRound;
  }

  /** Containers that are followed. */
  get size(): number {
    return this.#tails.size;
  }

  /** It is looked at at once. */
  add(tail: Pollable): void {
    this.#tails.add(tail);
    this.#added = true;
    this.#wake?.();
  }

  /** Resolves when nothing of the tail is under way any more. */
  async remove(tail: Pollable): Promise<void> {
    this.#tails.delete(tail);
    if (this.#reading?.tail === tail) await this.#reading.done;
  }

  /** The gate may have opened: go on at once, where anything waits for that. */
  wake(): void {
    if (this.#queue.length > 0) this.#wake?.();
  }

  /** Reads until the signal aborts; it never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const wake = () => this.#wake?.();
    signal.addEventListener('abort', wake);
    while (!signal.aborted) {
      const now = steadyNow();
      this.rounds++;
      this.#eachRound(now);
      this.#added = false;
      for (const tail of this.#tails) if (tail.look(now)) this.#enqueue(tail);
      do {
        await this.#readUntil(now + TICK_MS, signal);
        await this.#sleepUntil(now + TICK_MS);
      } while (steadyNow() < now + TICK_MS && !this.#added && !signal.aborted);
    }
    signal.removeEventListener('abort', wake);
  }

  async #readUntil(deadline: number, signal: AbortSignal): Promise<void> {
    let breath = steadyNow();
    while (this.#queue.length > 0 && this.#gate.open && !signal.aborted) {
      const tail = this.#queue.shift()!;
      this.#queued.delete(tail);
      if (!this.#tails.has(tail)) continue;
      const done = tail.read(steadyNow());
      this.#reading = { tail, done };
      if (await done) this.#enqueue(tail);
      this.#reading = undefined;
      const now = steadyNow();
      if (now >= deadline) return;
      if (now - breath >= BREATH_MS) {
        await breathe();
        breath = now;
      }
    }
  }

  #enqueue(tail: Pollable): void {
    if (this.#queued.has(tail)) return;
    this.#queued.add(tail);
    this.#queue.push(tail);
  }

  /** Until the next tick, or until woken. */
  async #sleepUntil(deadline: number): Promise<void> {
    const left = deadline - steadyNow();
    if (left <= 0) {
      await breathe();
      return;
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, left);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}

/** Near the wall clock's time, but a node's clock that is set back must not stop reading until it catches up. */
function steadyNow(): number {
  return performance.timeOrigin + performance.now();
}
