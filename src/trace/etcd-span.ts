import { etcdRange } from '../writers/etcd-key.ts';
import { type EtcdPages, place } from './etcd-pages.ts';
import { widened } from './span.ts';
import type { Span } from './trace-state.ts';

/** Up to so many keys are looked at one by one; of more, the end is searched for by counting. */
const MOST_KEYS = 20_000;
/** The largest time of as many digits as times have from 2001 to 2286. */
const LATEST = 10n ** 19n - 1n;

/**
 * The first and the last time of a trace at a revision. A range cannot be read from its end: etcd would sort all of it.
 */
export async function etcdSpan(
  pages: EtcdPages,
  { prefix, revision }: { prefix: string; revision: string },
  signal: AbortSignal,
): Promise<Span | undefined> {
  const whole = etcdRange(prefix);
  if ((await pages.count(whole, signal)) <= MOST_KEYS)
    return spanOfKeys(pages, { ...whole, revision }, signal);
  const { records } = await pages.values({ ...whole, limit: 1, revision }, signal);
  const first = records[0]?.unixNano;
  if (first === undefined) return undefined;
  // Invariant: something stands at `low` or behind it, and few enough keys at the end to look at.
  let [low, high] = [BigInt(first), LATEST];
  const from = (time: bigint) => ({ ...whole, key: Buffer.from(prefix + String(time)) });
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    const keys = await pages.count(from(middle), signal);
    if (keys === 0) high = middle;
    else low = middle;
    if (keys > 0 && keys <= MOST_KEYS) break;
  }
  const end = await spanOfKeys(pages, { ...from(low), revision }, signal);
  // What was stored since may be all that is there: then the search has to begin before it.
  return end === undefined ? spanOfKeys(pages, { ...whole, revision }, signal) : { first, last: end.last };
}

async function spanOfKeys(
  pages: EtcdPages,
  range: { key: Buffer; range_end: Buffer; revision: string },
  signal: AbortSignal,
): Promise<Span | undefined> {
  let span: Span | undefined;
  for (let key: Buffer | undefined = range.key; key !== undefined;) {
    const page = await pages.keys({ ...range, key }, signal);
    for (const { key: found } of page.kvs) span = widened(span, place(found).unixNano);
    key = page.next;
  }
  return span;
}
