/** Nothing was read for so long: the agent is idle, in milliseconds. */
const QUIET_MS = 10_000;

/**
 * Gives memory back when the agent comes to rest. V8 keeps what its heap grew to at the start, or while a backlog
 * was read, until its next collections; a process that does nothing makes none for minutes.
 */
export class SpareMemory {
  readonly #collect: typeof globalThis.gc;
  /** The last read after which it was given back. */
  #done: number | undefined;

  /** @param collect V8's collector: `globalThis.gc`, which is there where Node runs with --expose-gc. */
  constructor(collect: typeof globalThis.gc) {
    this.#collect = collect;
  }

  /**
   * To be called now and then. It takes 0.1 s of CPU time, once for each rest.
   *
   * @param lastRead when something was last read, on the same clock as `now`.
   */
  look(now: number, lastRead: number): void {
    if (this.#collect === undefined || this.#done === lastRead || now - lastRead < QUIET_MS) return;
    this.#done = lastRead;
    // Its last resort is the one that gives pages back to the system.
    this.#collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  }
}
