import { decodePercent } from '../util/decode-percent.ts';
import type { EtcdConnection } from '../writers/etcd-connection.ts';
import { etcdRange, keyPrefix } from '../writers/etcd-key.ts';
import { canaryPrefix } from './canary-trace.ts';
import { recentlyLeased } from './etcd-leased-keys.ts';
import { type EtcdPages, place } from './etcd-pages.ts';
import { CompactedError, type Put, watchPuts } from './etcd-watch.ts';
import { inParallel } from './in-parallel.ts';
import type { Latest } from './latest.ts';
import { compareUnixNano } from './stored-record.ts';
import type { RecentTraces } from './trace-reader.ts';
import { Summary } from './summary.ts';
import type { TraceSummary } from './trace-summary.ts';

/** How far the history is looked back, in revisions: as far as it takes. A server tells of at most 1,000 at once. */
const LOOKS_BACK = [16n, 64n, 256n, 900n] as const;
const FURTHEST = LOOKS_BACK[3];
/** A further look is taken only where it is likely to be told of no more than so many lines, values and all. */
const MOST_PUTS = 20_000;
/** How long the first word of the history is waited for: servers serve what is past ten times a second. */
const HISTORY_MS = 1_500;
/** So many lines of each trace are looked at, and so many bytes. */
const MOST_LINES = 200;
const AT_ONCE = 8;
/** Canaries are seen, and left out. */
const canaries = keyPrefix + canaryPrefix;

/** So many lines may be behind the last one that was seen being written. */
const MOST_BEHIND = 100;
/** Of times from 2001 to 2286. */
const DIGITS = 19;

/** Older servers look at every key of a trace for its first lines: of a long one they are good for a while. */
const LONG_LINES = 10_000;
const LONG_GOOD_MS = 30_000;

export interface LongTrace {
  readonly until: number;
  readonly summary: TraceSummary;
}

interface Sources {
  readonly connection: EtcdConnection;
  readonly pages: EtcdPages;
  readonly long: Latest<string, LongTrace>;
  readonly limit: number;
}

/** The last line that was seen of each trace, by its prefix. */
type LastSeen = Map<string, string>;

/**
 * The newest traces, without a look at all keys, which etcd has in the order of the trace IDs: its history has them
 * in the order of writing. A watch that begins a little in the past is told of the newest writes; where too
 * little of the history is left, the newest leases name their keys. Then the beginning of each trace is read.
 */
export async function recentTraces(sources: Sources, signal: AbortSignal): Promise<RecentTraces> {
  const { pages, limit } = sources;
  const revision = await pages.revision(signal);
  const seen: LastSeen = new Map();
  const reached = await lookBack(sources, { seen, revision }, signal);
  let note: string | undefined;
  if (seen.size < limit && reached === 'forgotten') {
    const found = await recentlyLeased(sources.connection, limit, signal);
    for (const key of found.keys) see(seen, key);
    note = found.note;
  } else if (seen.size < limit && reached === 'long') {
    note = 'these are the traces of the newest lines: to look further back would read too many';
  }
  const newest = [...seen].sort((a, b) => compareUnixNano(b[1], a[1])).slice(0, limit);
  const traces = await inParallel(newest, AT_ONCE, ([prefix, last]) =>
    summarize(sources, { prefix, last, revision }, signal),
  );
  return { traces: traces.filter((one) => one !== undefined), ...(note !== undefined && { note }) };
}

/** @returns `forgotten` where the history did not reach far enough back; `long` where it holds more than was read. */
async function lookBack(
  { connection, limit }: Sources,
  { seen, revision }: { seen: LastSeen; revision: string },
  signal: AbortSignal,
): Promise<'whole' | 'long' | 'forgotten'> {
  const now = BigInt(revision);
  const look = async (from: bigint): Promise<number> => {
    let puts = 0;
    for await (const put of history(connection, { from, upTo: now }, signal)) {
      see(seen, put.key);
      puts += 1;
    }
    return puts;
  };
  let puts = 0;
  for (const back of LOOKS_BACK) {
    // Where the last look saw nothing, a little more will not do.
    if (puts === 0 && back > LOOKS_BACK[0] && back < FURTHEST) continue;
    if (puts * 4 > MOST_PUTS) return 'long';
    const from = now >= back ? now - back + 1n : 1n;
    try {
      puts = await look(from);
    } catch (error) {
      if (!(error instanceof CompactedError)) throw error;
      if (error.oldest <= now) await look(error.oldest);
      return 'forgotten';
    }
    if (seen.size >= limit || from === 1n) return 'whole';
  }
  return puts * 4 > MOST_PUTS ? 'long' : 'forgotten';
}

/** The puts of some revisions. Where there were none the server says nothing: it is waited for a little. */
async function* history(
  connection: EtcdConnection,
  { from, upTo }: { from: bigint; upTo: bigint },
  signal: AbortSignal,
): AsyncGenerator<Put, void> {
  const silent = new Error('nothing was put');
  const idle = { afterMs: HISTORY_MS, call: () => Promise.reject(silent) };
  try {
    const range = etcdRange(keyPrefix);
    for await (const { puts, revision } of watchPuts(connection, { ...range, from, idle }, signal)) {
      yield* puts;
      if (puts.length > 0 && revision !== undefined && BigInt(revision) >= upTo) return;
    }
  } catch (error) {
    if (error !== silent) throw error;
  }
}

function see(seen: LastSeen, key: Buffer): void {
  const { prefix, unixNano } = place(key);
  if (prefix.startsWith(canaries)) return;
  const last = seen.get(prefix);
  if (last === undefined || compareUnixNano(unixNano, last) > 0) seen.set(prefix, unixNano);
}

/** @returns undefined where the trace is gone. */
async function summarize(
  { pages, long }: Sources,
  { prefix, last, revision }: { prefix: string; last: string; revision: string },
  signal: AbortSignal,
): Promise<TraceSummary | undefined> {
  const known = long.get(prefix);
  if (known !== undefined && performance.now() < known.until)
    return withEnd(pages, known.summary, { prefix, last, revision }, signal);
  const page = await pages.values({ ...etcdRange(prefix), limit: MOST_LINES, revision }, signal);
  if (page.records.length === 0) return undefined;
  const summary = new Summary(traceIdOf(prefix));
  for (const record of page.records) summary.add(record);
  const partial = page.next !== undefined;
  if (!partial) return summary.result({ partial });
  const result = summary.result({ lines: page.count, partial });
  if (page.count > LONG_LINES) long.set(prefix, { until: performance.now() + LONG_GOOD_MS, summary: result });
  return withEnd(pages, result, { prefix, last, revision }, signal);
}

/**
 * With the time of its last line. The last one that was seen being written need not be it, where nodes lag: what is
 * behind it is counted, which of nothing costs nothing, and looked at where it is little. A trace begins with its
 * first key as long as its times have equally many digits.
 */
async function withEnd(
  pages: EtcdPages,
  summary: TraceSummary,
  { prefix, last, revision }: { prefix: string; last: string; revision: string },
  signal: AbortSignal,
): Promise<TraceSummary> {
  const ended = endingAt(summary, last);
  const { lastUnixNano, firstUnixNano } = ended;
  if (firstUnixNano.length !== DIGITS || lastUnixNano.length !== DIGITS) return ended;
  const range = { ...etcdRange(prefix), key: behindTime(prefix, lastUnixNano) };
  const { kvs, next } = await pages.keys({ ...range, revision, limit: MOST_BEHIND }, signal);
  if (next !== undefined) return ended;
  const times = kvs.map(({ key }) => place(key).unixNano);
  if (times.some((time) => time.length !== DIGITS)) return ended;
  return { ...endingAt(ended, times.at(-1) ?? lastUnixNano), timesKnown: true };
}

/** The first key of a trace that is of a later time. */
function behindTime(prefix: string, unixNano: string): Buffer {
  // «0» follows upon «/», which ends the time in a key.
  return Buffer.from(`${prefix}${unixNano}0`);
}

function endingAt(summary: TraceSummary, last: string): TraceSummary {
  return compareUnixNano(last, summary.lastUnixNano) > 0 ? { ...summary, lastUnixNano: last } : summary;
}

/** The reverse of `tracePrefix`. */
function traceIdOf(prefix: string): string {
  // Halves of surrogate pairs stay as they are encoded; only somebody who tries has them in a trace ID.
  return decodePercent(prefix.slice(keyPrefix.length, -1));
}
