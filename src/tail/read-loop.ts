import { setImmediate as breathe } from 'node:timers/promises';
import { steadyNow } from '../util/steady-now.ts';

/** A container as the read loop sees it. `now` is in milliseconds since 1970, of a clock that is never set. */
export interface Pollable {
  /** Looks what is new: cheap, never reads lines. True if `read` may find something. Never throws. */
  look(now: number): boolean;
  /** When it wants to be looked at; at every tick where it does not say. */
  readonly nextLook?: number;
  /** Whether it writes. */
  readonly busy?: boolean;
  /** Reads one piece at most. True if there may be more at once. Never throws or rejects. */
  read(now: number): boolean | Promise<boolean>;
}

/** Whether what comes after the tails has room; closed, nothing is read, but files are still looked after. */
export interface Gate {
  readonly open: boolean;
}

/** Looks come so often at most, in milliseconds. */
export const TICK_MS = 50;
/** And so often at least, also where nobody wants one. */
const REST_MS = 1_000;
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
  /** A look is wanted before its time. */
  #asked = false;
  /** Rounds of looks so far. */
  rounds = 0;
  /** Containers that wrote lately, or are new; as of the last round. */
  busy = 0;
  /** When a container was last read, or the loop began, as `now` of `Pollable`. */
  lastRead = steadyNow();

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
    this.lookNow();
  }

  /** Something has changed at a tail that wanted no look yet. */
  lookNow(): void {
    this.#asked = true;
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
      this.#asked = false;
      const next = this.#lookAround(now);
      do {
        await this.#readUntil(next, signal);
        if (!this.#asked && !signal.aborted) await this.#sleepUntil(next);
      } while (steadyNow() < next && !this.#asked && !signal.aborted);
    }
    signal.removeEventListener('abort', wake);
  }

  /** Returns when the next round is due. */
  #lookAround(now: number): number {
    let next = now + REST_MS;
    let busy = 0;
    for (const tail of this.#tails) {
      if (tail.look(now)) this.#enqueue(tail);
      next = Math.min(next, tail.nextLook ?? 0);
      if (tail.busy === true) busy++;
    }
    this.busy = busy;
    return Math.max(next, now + TICK_MS);
  }

  async #readUntil(deadline: number, signal: AbortSignal): Promise<void> {
    let breath = steadyNow();
    while (this.#queue.length > 0 && this.#gate.open && !signal.aborted) {
      const tail = this.#queue.shift()!;
      this.#queued.delete(tail);
      if (!this.#tails.has(tail)) continue;
      this.lastRead = steadyNow();
      const more = tail.read(this.lastRead);
      if (more === true || (more !== false && (await this.#read(tail, more)))) this.#enqueue(tail);
      const now = steadyNow();
      if (now >= deadline || this.#asked) return;
      if (now - breath >= BREATH_MS) {
        await breathe();
        breath = now;
      }
    }
  }

  async #read(tail: Pollable, done: Promise<boolean>): Promise<boolean> {
    this.#reading = { tail, done };
    const more = await done;
    this.#reading = undefined;
    return more;
  }

  #enqueue(tail: Pollable): void {
    if (this.#queued.has(tail)) return;
    this.#queued.add(tail);
    this.#queue.push(tail);
  }

  /** Until then, or until woken. */
  async #sleepUntil(deadline: number): Promise<void> {
    const left = deadline - steadyNow();
    if (left <= 0) {
      await breathe();
      return;
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, left);
      this.#wake = () => {
        this.#wake = undefined;
        clearTimeout(timer);
        // Whoever made room has the next request to send: that comes first.
        setImmediate(resolve);
      };
    });
    this.#wake = undefined;
  }
}
