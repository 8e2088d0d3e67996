import { createWriteStream, type WriteStream } from 'node:fs';

/** What happened in a run, for whoever looks for a fault: NDJSON, the time in ms of the book. */
export class Journal {
  readonly #out: WriteStream;
  readonly #now: () => number;

  constructor(path: string, now: () => number) {
    this.#out = createWriteStream(path);
    this.#now = now;
  }

  note(what: string, details: object = {}): void {
    const at = Math.round(this.#now());
    this.#out.write(`${JSON.stringify({ at, time: new Date().toISOString(), what, ...details })}\n`);
  }

  async close(): Promise<void> {
    await new Promise((resolve) => this.#out.end(resolve));
  }
}
