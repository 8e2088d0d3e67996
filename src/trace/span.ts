import { compareUnixNano } from './stored-record.ts';
import type { Span } from './trace-state.ts';

/** The span with one more time in it. */
export function widened(span: Span | undefined, unixNano: string): Span {
  if (span === undefined) return { first: unixNano, last: unixNano };
  return {
    first: compareUnixNano(unixNano, span.first) < 0 ? unixNano : span.first,
    last: compareUnixNano(unixNano, span.last) > 0 ? unixNano : span.last,
  };
}
