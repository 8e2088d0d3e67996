import { keySegment } from '../../../src/writers/etcd-key.ts';
import type { NdjsonRecord } from '../../support/servers/ndjson-records.ts';
import type { Differences, RecordBook } from '../record-book.ts';
import type { StoreJudge } from './torture-store.ts';

/** A record as it was found in a store, with its identity. */
export interface FoundRecord extends NdjsonRecord {
  /** Within one it may be there once only; undefined where it may be in the whole store. */
  readonly session?: string;
}

/** What a store holds, each record as often as it is there. @throws where something else is among it. */
export type ReadBack = () => AsyncIterable<FoundRecord>;

/** Judges a store by reading all of it when the run is over. */
export function judgeByReading(all: ReadBack, book: RecordBook, differences: Differences): StoreJudge {
  const counts = new Map<string, number>();
  return {
    complaints: [],
    counts,
    run: async () => undefined,
    finish: async () => {
      const sessions = new Map<string, Set<string | undefined>>();
      let again = 0;
      for await (const { traceId, unixNano, id, value, session } of all()) {
        const seen = sessions.get(id);
        if (seen === undefined) sessions.set(id, new Set([session]));
        else if (session === undefined || seen.has(session)) {
          differences.twice++;
          if (differences.examples.length < 20)
            differences.examples.push(`twice${session === undefined ? '' : ` in ${session}`}: ${id}`);
        } else {
          seen.add(session);
          again++;
        }
        book.see(Buffer.from(`logs/${keySegment(traceId)}/${unixNano}/${id}`), value, differences);
      }
      counts.set('written again, under the same identity', again);
    },
  };
}
