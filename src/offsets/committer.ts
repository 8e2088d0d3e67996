import { join } from 'node:path';
import type { Logger } from 'pino';
import { Repeated } from '../ops/repeated.ts';
import { pause } from '../util/pause.ts';
import { writeDurably } from '../util/write-durably.ts';
import type { OffsetStore } from './offset-store.ts';
import { OFFSETS_FILE } from './offsets-file.ts';

export interface CommitterOptions {
  readonly store: OffsetStore;
  readonly stateDir: string;
  readonly log: Logger;
  /** Told of every save and of every failure. */
  readonly onSaved: () => void;
  readonly onFailed: () => void;
  /** Told at every turn, whether there is something to save or not. */
  readonly onTurn?: () => void;
  /** Between two saves, in milliseconds. */
  readonly periodMs?: number;
  readonly write?: typeof writeDurably;
}

/**
 * Brings the offsets to disk, at most once a second and only when they changed. A disk that is full or
 * read-only stops nothing: reading and delivery go on, and the next start repeats what was not saved.
 */
export class Committer {
  readonly #options: CommitterOptions;
  readonly #repeated: Repeated;
  /** Why the last save failed; undefined when it did not. For /readyz. */
  failure: string | undefined;

  constructor(options: CommitterOptions) {
    this.#options = options;
    this.#repeated = new Repeated(options.log);
  }

  /** Saves until the signal aborts; it never rejects. The last save is the caller's, by `save()`. */
  async run(signal: AbortSignal): Promise<void> {
    const { store, periodMs = 1000, onTurn } = this.#options;
    while (!signal.aborted) {
      onTurn?.();
      await pause(periodMs, signal);
      if ((store.dirty || this.failure !== undefined) && !signal.aborted) await this.save();
    }
  }

  /** Saves now. It never rejects: a failure is logged, and counted. */
  async save(): Promise<void> {
    const { store, stateDir, onSaved, onFailed, write = writeDurably } = this.#options;
    const path = join(stateDir, OFFSETS_FILE);
    try {
      await write(path, JSON.stringify(store.snapshot(new Date())));
      this.#repeated.resolved('save', 'The offsets are saved again.');
      this.failure = undefined;
      onSaved();
    } catch (error) {
      this.#repeated.problem(
        'save',
        'The offsets cannot be saved. Reading goes on; after a restart, what was delivered since is delivered again.',
        { err: error, file: path },
        'error',
      );
      this.failure = `offsets cannot be saved: ${(error as Error).message}`;
      onFailed();
    }
  }
}
