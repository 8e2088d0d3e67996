import { etcdRange } from '../writers/etcd-key.ts';
import { type EtcdPages, place } from './etcd-pages.ts';
import { Latest } from './latest.ts';
import { widened } from './span.ts';
import type { Span } from './trace-state.ts';

/** Up to so many keys are looked at one by one; of more, the end is searched for by counting. */
const MOST_KEYS = 20_000;
/** The end is searched for until no more than so many keys are left, which are looked at. */
const MOST_AT_END = 1_000;
/** The largest time of as many digits as times have from 2001 to 2286. */
const LATEST = 10n ** 19n - 1n;

/** Of so many long traces it is remembered where they ended. */
const MOST_REMEMBERED = 256;

/** How a trace began at a revision, and how many keys it had. */
interface Begin {
  readonly revision: string;
  readonly first: string;
  readonly count: number;
}

/**
 * The first and the last time of a trace at a revision. A range cannot be read from its end: etcd would sort all of it.
 * Where a long trace ended at an earlier look is remembered, so that only what came before and behind is looked at.
 */
export class EtcdSpans {
  readonly #pages: EtcdPages;
  readonly #seen = new Latest<string, Span>(MOST_REMEMBERED);
  readonly #begins = new Latest<string, Begin>(MOST_REMEMBERED);

  constructor(pages: EtcdPages) {
    this.#pages = pages;
  }

  /** What a reading has found of a trace: to find it again would cost a look at the index of all its keys. */
  begins(prefix: string, begin: Begin): void {
    this.#begins.set(prefix, begin);
  }

  async of(
    { prefix, revision }: { prefix: string; revision: string },
    signal: AbortSignal,
  ): Promise<Span | undefined> {
    const whole = etcdRange(prefix);
    const from = (time: string): Buffer => Buffer.from(prefix + time);
    const seen = this.#seen.get(prefix);
    if (seen !== undefined) {
      // What has expired since leaves the span longer than it is, which claims nothing.
      const before = await spanOfKeys(
        this.#pages,
        { ...whole, range_end: from(seen.first), revision },
        signal,
      );
      const last = await this.#lastFrom(seen.last, { prefix, revision }, signal);
      const span = { first: before?.first ?? seen.first, last: last ?? seen.last };
      this.#seen.set(prefix, span);
      return span;
    }
    const { first, count } = await this.#begin(prefix, revision, signal);
    if (count <= MOST_KEYS || first === undefined) {
      return spanOfKeys(this.#pages, { ...whole, revision }, signal);
    }
    const last = await this.#lastFrom(first, { prefix, revision, count }, signal);
    if (last === undefined) return spanOfKeys(this.#pages, { ...whole, revision }, signal);
    this.#seen.set(prefix, { first, last });
    return { first, last };
  }

  async #begin(
    prefix: string,
    revision: string,
    signal: AbortSignal,
  ): Promise<{ readonly first: string | undefined; readonly count: number }> {
    const known = this.#begins.get(prefix);
    if (known?.revision === revision) return known;
    const { records, count } = await this.#pages.values({ ...etcdRange(prefix), limit: 1, revision }, signal);
    return { first: records[0]?.unixNano, count };
  }

  /** The last time among those from `first` on. @param count of them, where that is known. */
  async #lastFrom(
    first: string,
    { prefix, revision, count }: { prefix: string; revision: string; count?: number },
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const from = (time: bigint) => ({ ...etcdRange(prefix), key: Buffer.from(prefix + String(time)) });
    // Invariant: something stands at `low` or behind it, as far as it has not expired.
    let [low, high] = [BigInt(first), LATEST];
    let keys = count ?? (await this.#pages.count(from(low), signal));
    while (keys > MOST_AT_END && high - low > 1n) {
      const middle = (low + high) / 2n;
      const behindIt = await this.#pages.count(from(middle), signal);
      if (behindIt === 0) high = middle;
      else [low, keys] = [middle, behindIt];
    }
    return (await spanOfKeys(this.#pages, { ...from(low), revision }, signal))?.last;
  }
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
