import type { EtcdConnection } from '../writers/etcd-connection.ts';
import { EtcdFailure } from '../writers/etcd-errors.ts';
import { etcdRange, tracePrefix } from '../writers/etcd-key.ts';
import { pause } from '../util/pause.ts';
import { behind, type Bounds, type EtcdPages, nextLimit, place } from './etcd-pages.ts';
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
          yield* this.#listed(range, { after: seen, upTo: now }, signal);
          seen = now;
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

  /** What was stored after one revision and up to another, as far as it is still there. */
  async *#listed(
    range: Bounds,
    { after, upTo }: { after: string; upTo: string },
    signal: AbortSignal,
  ): AsyncGenerator<Followed, void> {
    for (let key: Buffer | undefined = range.key; key !== undefined;) {
      const { kvs, next } = await this.#pages.keys({ ...range, key, revision: upTo }, signal);
      key = next;
      const fresh = kvs.filter(({ create_revision }) => BigInt(create_revision) > BigInt(after));
      const [first, last] = [fresh[0], fresh.at(-1)];
      if (first === undefined || last === undefined) continue;
      const wanted = new Set(fresh.map((one) => one.key.toString('latin1')));
      const end = behind(last.key);
      let limit = 64;
      for (let from: Buffer | undefined = first.key; from !== undefined;) {
        const page = await this.#pages.values({ key: from, range_end: end, limit, revision: upTo }, signal);
        const records = page.records.filter((one) => wanted.has(keyOf(first.key, one)));
        if (records.length > 0) yield { records, mark: after };
        limit = nextLimit(page.records, limit);
        from = page.next;
      }
    }
    yield { records: [], mark: upTo };
  }
}

function toRecord(key: Buffer, bytes: Buffer): StoredRecord {
  const { unixNano, id } = place(key);
  return { unixNano, id, bytes };
}

/** The key of a record of the same trace as another key's, one character a byte. */
function keyOf(sibling: Buffer, { unixNano, id }: StoredRecord): string {
  return Buffer.from(`${place(sibling).prefix}${unixNano}/${id}`).toString('latin1');
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && /message larger than max/.test(error.message);
}
