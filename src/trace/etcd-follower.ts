import type { EtcdConnection } from '../writers/etcd-connection.ts';
import { EtcdFailure } from '../writers/etcd-errors.ts';
import { etcdRange, tracePrefix } from '../writers/etcd-key.ts';
import { pause } from '../util/pause.ts';
import { recordsBetween } from './etcd-between.ts';
import { type Bounds, type EtcdPages, place } from './etcd-pages.ts';
import { CompactedError, watchPuts } from './etcd-watch.ts';
import type { StoredRecord } from './stored-record.ts';
import type { Followed } from './trace-reader.ts';

/** A watch that says nothing for so long is looked after: its server may be frozen or cut off. */
const IDLE_MS = 5_000;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Follows one trace by a watch from a revision on. A broken watch is opened again behind what came; where the
 * history from there on is compacted away, the trace is listed again, and what is known is left out: a record
 * is known by the revision that made its key, which is at most that of the mark.
 */
export class EtcdFollower {
  readonly #connection: EtcdConnection;
  readonly #pages: EtcdPages;

  constructor(connection: EtcdConnection, pages: EtcdPages) {
    this.#connection = connection;
    this.#pages = pages;
  }

  async *follow(traceId: string, mark: string, signal: AbortSignal): AsyncGenerator<Followed, void> {
    const range = etcdRange(tracePrefix(traceId));
    let seen = mark;
    let failures = 0;
    for (;;) {
      signal.throwIfAborted();
      try {
        for await (const followed of this.#watch(range, seen, signal)) {
          failures = 0;
          seen = followed.mark;
          if (followed.records.length > 0) yield followed;
        }
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof CompactedError || isTooLarge(error)) {
          const now = await this.#pages.revision(signal);
          for await (const records of recordsBetween(
            this.#pages,
            range,
            { after: seen, upTo: now },
            signal,
          )) {
            yield { records, mark: seen };
          }
          seen = now;
          yield { records: [], mark: seen };
        } else {
          if (error instanceof EtcdFailure && error.remedy === 'slowly') throw error;
          await pause(Math.min(LONGEST_PAUSE_MS, 100 * 2 ** failures) * (0.5 + Math.random() / 2), signal);
          failures += 1;
        }
      }
    }
  }

  async *#watch(range: Bounds, seen: string, signal: AbortSignal): AsyncGenerator<Followed, void> {
    const idle = { afterMs: IDLE_MS, call: () => this.#pages.revision(signal) };
    const from = BigInt(seen) + 1n;
    let mark = seen;
    for await (const { puts, revision } of watchPuts(this.#connection, { ...range, from, idle }, signal)) {
      // In the middle of a revision the mark stays before it: better twice to who resumes there than not at all.
      if (revision !== undefined) mark = revision;
      yield { records: puts.map(({ key, value }) => toRecord(key, value)), mark };
    }
  }
}

function toRecord(key: Buffer, bytes: Buffer): StoredRecord {
  const { unixNano, id } = place(key);
  return { unixNano, id, bytes };
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && /message larger than max/.test(error.message);
}
