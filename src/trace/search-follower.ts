import { pause } from '../util/pause.ts';
import { nextLimit } from './etcd-pages.ts';
import type { SearchPages } from './search-pages.ts';
import type { StoredRecord } from './stored-record.ts';
import type { Followed } from './trace-reader.ts';

/** What is stored at one time is found later: a write may take so long, and clocks differ. */
export const OVERLAP_MS = 60_000;
const LOOK_MS = 1_000;
const PAGE = 256;

interface FollowRequest {
  readonly query: (traceId: string, filters: readonly object[]) => object;
  readonly traceId: string;
  /** Milliseconds since 1970. */
  readonly mark: number;
  /** Records up to the mark that were given already; undefined: all that can be found at first. */
  readonly seen: ReadonlyMap<string, number> | undefined;
}

/**
 * The records of a trace that are stored after a mark: asked for each second, from somewhat before the last one on,
 * less what was given already. An outage is waited for.
 */
export async function* followSearch(
  pages: SearchPages,
  { query, traceId, mark, seen: given }: FollowRequest,
  signal: AbortSignal,
): AsyncGenerator<Followed, void> {
  const seen = new Map(given);
  let isFirst = given === undefined;
  let newest = mark;
  for (;;) {
    signal.throwIfAborted();
    const records: StoredRecord[] = [];
    try {
      const filter = { range: { 'frostbeat.storedAt': { gt: newest - OVERLAP_MS } } };
      const request = { query: query(traceId, [filter]), size: PAGE };
      const found = new Map<string, number>();
      await pages.refresh(signal);
      for await (const hits of pages.all(request, nextLimit, signal)) {
        for (const { id, unixNano, bytes, storedAt } of hits) {
          if (seen.has(id) || found.has(id)) continue;
          found.set(id, storedAt);
          if (!isFirst || storedAt > mark) records.push({ id, unixNano, bytes });
        }
      }
      for (const [id, storedAt] of found) {
        seen.set(id, storedAt);
        newest = Math.max(newest, storedAt);
      }
      isFirst = false;
    } catch (error) {
      if (signal.aborted) throw error;
      // Asked again: what was found is not marked as seen yet.
      records.length = 0;
    }
    for (const [id, storedAt] of seen) if (storedAt <= newest - OVERLAP_MS) seen.delete(id);
    if (records.length > 0) yield { records, mark: String(newest) };
    await pause(LOOK_MS, signal);
  }
}
