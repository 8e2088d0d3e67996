/**
 * Whether all of a trace is stored, as far as can be known: `open` while a node is not past its end yet, `incomplete`
 * where a node that may hold lines of it is silent, or lines of its time are known to be lost.
 */
export interface TraceState {
  readonly state: 'open' | 'complete' | 'incomplete';
  /** Why, for people; empty with `complete`. */
  readonly reason: string;
  /** The nodes that are the reason. */
  readonly nodes: readonly string[];
}
