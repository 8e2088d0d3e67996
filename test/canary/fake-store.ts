import type { LookoutOptions } from '../../src/canary/lookout.ts';
import { orAborted } from '../../src/util/or-aborted.ts';

/** A destination that holds the lines which it was given, and answers while it is up. */
export class FakeStore {
  readonly #lines: { readonly traceId: string; readonly unixNano: string }[] = [];
  #changed = Promise.withResolvers<void>();
  #up = true;
  /** How often it was followed. */
  follows = 0;

  put(traceId: string, time: string): void {
    this.#lines.push({ traceId, unixNano: `${Date.parse(time)}000000` });
    this.#tell();
  }

  set up(up: boolean) {
    this.#up = up;
    this.#tell();
  }

  get reader(): LookoutOptions['reader'] {
    const records = (traceId: string, from: number, to: number) =>
      this.#lines
        .slice(from, to)
        .filter((line) => line.traceId === traceId)
        .map(({ unixNano }) => ({ unixNano, id: 'id', bytes: Buffer.alloc(0) }));
    const check = () => {
      if (!this.#up) throw new Error('the store is down');
    };
    const changed = async (signal: AbortSignal) => await orAborted(this.#changed.promise, signal);
    const follows = () => (this.follows += 1);
    const lines = () => this.#lines.length;
    const isUp = () => this.#up;
    return {
      now: async () => {
        check();
        return await Promise.resolve(String(lines()));
      },
      read: async function* (traceId, _signal, { at } = {}) {
        check();
        yield* await Promise.resolve(records(traceId, 0, Number(at)));
      },
      follow: async function* (traceId, mark, signal) {
        follows();
        for (let from = Number(mark); ;) {
          if (isUp() && lines() > from) {
            yield { records: records(traceId, from, lines()), mark: String(lines()) };
            from = lines();
          } else await changed(signal);
        }
      },
      close: async () => await Promise.resolve(),
    };
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
