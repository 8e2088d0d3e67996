import { compareUnixNano, type Position, type StoredRecord } from './stored-record.ts';
import type { Nodes } from './known-node.ts';
import type { Span } from './trace-state.ts';
import type { TraceSummary } from './trace-summary.ts';

export interface ReadOptions {
  /** What `now` gave: what was stored later is left out. Default: nothing that is there when it is read. */
  readonly at?: string | undefined;
  /** Begin behind this record. */
  readonly after?: Position | undefined;
  /** Only times from `since` on and before `until`, in nanoseconds as decimal digits. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

/** Records that were stored since, and the mark from which `follow` goes on behind them. */
export interface Followed {
  readonly records: readonly StoredRecord[];
  readonly mark: string;
}

export interface RecentTraces {
  /** Newest first, by their last line. */
  readonly traces: readonly TraceSummary[];
  /** Whether there may be traces as new as these that were not seen, and why; for people. */
  readonly note?: string;
}

/** Gives back what a destination holds of traces. Memory never grows with the length of a trace. */
export interface TraceReader {
  /** What is read, for messages: `etcd (http://…)`. */
  readonly name: string;

  /** Why it can neither be followed nor tell of a trace's end, where that is so; for people. */
  readonly onlyReads?: string;

  /** What the last reading went through, where there is no telling that it was all; for people. */
  readonly looked?: string | undefined;

  /**
   * The nodes of all records of any trace that the last reading passed, where the store tells; one without a name is
   * empty.
   */
  readonly nodesSeen?: ReadonlySet<string>;

  /** Makes later looks fast, where it lives on; takes a look at everything that is there. */
  prepare?(signal: AbortSignal): Promise<void>;

  /**
   * A mark of what is stored at this moment, for `read` and `follow`: together they give every record, once.
   *
   * @throws Error that says what cannot be read, or the signal's reason. So does every method here.
   */
  now(signal: AbortSignal): Promise<string>;

  /** The records of one trace in order; none where the trace is not known. */
  read(traceId: string, signal: AbortSignal, options?: ReadOptions): AsyncIterable<StoredRecord>;

  /**
   * The records of one trace that are stored after `mark`, as they are stored, until the signal aborts. An outage
   * of the destination is waited for. Each record once, in whatever order its times are.
   */
  follow(traceId: string, mark: string, signal: AbortSignal): AsyncIterable<Followed>;

  /** The traces with the newest lines, at most `limit` (1 to 1,000). */
  recent(limit: number, signal: AbortSignal): Promise<RecentTraces>;

  /**
   * What the agents tell of their nodes. To say of a trace that it is complete, ask this **before** the mark at which
   * its records are read: what was stored before a watermark was told is then among them, and not the other way.
   */
  nodes(signal: AbortSignal): Promise<Nodes>;

  /** The first and the last time of a trace as it was at a mark; undefined where it had no records. */
  span(traceId: string, mark: string, signal: AbortSignal): Promise<Span | undefined>;

  /** The records of one trace that were stored after one mark and up to another, each once, in any order. */
  between(
    traceId: string,
    marks: { readonly after: string; readonly upTo: string },
    signal: AbortSignal,
  ): AsyncIterable<readonly StoredRecord[]>;

  close(): Promise<void>;
}

/** Whether a time is in `since` (inclusive) to `until` (exclusive). */
export function isWithin(unixNano: string, { since, until }: Pick<ReadOptions, 'since' | 'until'>): boolean {
  if (since !== undefined && compareUnixNano(unixNano, since) < 0) return false;
  return until === undefined || compareUnixNano(unixNano, until) < 0;
}
