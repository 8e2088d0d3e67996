import { setTimeout as sleep } from 'node:timers/promises';
import type { TestEtcd } from '../support/etcd.ts';
import type { Differences, RecordBook } from './record-book.ts';
import type { Watermarks } from './watermarks.ts';

/** Keys in one read, and in one transaction that deletes them: etcd's `--max-txn-ops` must allow it. */
export const PAGE = 2_000;
/** So many keys may stay. */
const KEEP = 20_000;
/** After so many pages etcd may forget what was deleted. */
const COMPACT_PAGES = 5;
const PAUSE_MS = 2_000;
const after = Buffer.from([0]);

/**
 * Takes what is stored out of etcd and compares it with what was written, all the while: etcd stays small, however
 * long the run is. A key is deleted by its name and only after it was compared; one that is written again later is
 * compared again.
 */
export class StoredRecords {
  readonly #etcd: TestEtcd;
  readonly #book: RecordBook;
  readonly #differences: Differences;
  readonly #watermarks: Watermarks;
  /** Passes that a broken etcd cut short. */
  failures = 0;

  constructor(etcd: TestEtcd, book: RecordBook, differences: Differences, watermarks: Watermarks) {
    this.#etcd = etcd;
    this.#book = book;
    this.#differences = differences;
    this.#watermarks = watermarks;
  }

  /** Until the signal aborts. What fails while etcd is broken is tried again. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(PAUSE_MS);
      try {
        if ((await this.#count()) > KEEP) await this.#pass(true, signal);
      } catch {
        this.failures++; // etcd is frozen or down, which is what this run is for.
      }
    }
  }

  /** Everything that is left. @throws what etcd says, again and again. */
  async finish(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#pass(false);
      } catch (error) {
        if (attempt === 5) throw error; // A busy machine makes it slow; what was compared may be compared again.
      }
    }
  }

  async #pass(remove: boolean, signal?: AbortSignal): Promise<void> {
    let from = Buffer.from('logs/');
    let pages = 0;
    for (;;) {
      const { kvs, more, header } = await this.#etcd.client.kv.range(
        { key: from, range_end: Buffer.from('logs0'), limit: PAGE },
        { deadline: Date.now() + 10_000 },
      );
      for (const { key, value, create_revision: revision } of kvs) {
        this.#watermarks.stored(value, Number(revision));
        this.#book.see(key, value, this.#differences);
      }
      if (remove && kvs.length > 0) {
        await this.#etcd.client.kv.txn(
          {
            compare: [],
            success: kvs.map(({ key }) => ({ request_delete_range: { key } })),
            failure: [],
          },
          { deadline: Date.now() + 10_000 },
        );
      }
      // Without this etcd keeps what was deleted, and reads it all at its next start.
      if (remove && (++pages % COMPACT_PAGES === 0 || !more)) {
        await this.#etcd.client.kv.compact({ revision: header.revision });
      }
      if (!more || signal?.aborted === true) return;
      from = Buffer.concat([kvs.at(-1)!.key, after]);
    }
  }

  async #count(): Promise<number> {
    const { count } = await this.#etcd.client.kv.range(
      { key: Buffer.from('logs/'), range_end: Buffer.from('logs0'), count_only: true },
      { deadline: Date.now() + 2_000 },
    );
    return Number(count);
  }
}
