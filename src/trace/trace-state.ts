/** The times of a trace's first and last record, in nanoseconds since 1970 as digits. */
export interface Span {
  readonly first: string;
  readonly last: string;
  /**
   * The nodes of its records, as far as they say; one without a name is empty. Undefined where nobody has looked.
   */
  readonly nodes?: ReadonlySet<string>;
  /** Where these are of a part only: of so many records, the first. */
  readonly nodesOf?: number | undefined;
}

/** Why a node keeps a trace from being complete. */
export interface NodeDoubt {
  readonly node: string;
  /**
   * `behind`: it is heard, and not that far yet. `starting`: it is heard, and has not said how far it is.
   * `restarting`: its agent was stopped a moment ago. `silent`: it is not heard, and may hold lines.
   * `unreadable`: its report may not be read, or is of a version that this one does not know. `untold`: its records
   * are there, and no report.
   */
  readonly why: 'behind' | 'starting' | 'restarting' | 'silent' | 'unreadable' | 'untold';
  /** Up to when it has stored everything, RFC 3339; null where it never said. */
  readonly watermark: string | null;
  /** Whether it is likely to pass by itself. */
  readonly waits: boolean;
  /** For people. */
  readonly text: string;
}

/** A part of a log file that could not be read: what it held is lost. */
export interface LostPart {
  readonly node: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly file: string;
  /** Offsets of its first byte and the one behind its last; null where nobody knows. */
  readonly from: number;
  readonly to: number | null;
  /** The span of time that its lines may be of, RFC 3339; without a start, since ever. */
  readonly start: string | null;
  readonly end: string;
  readonly reason: string;
}

/**
 * Whether all of a trace is stored, as far as can be known. What a pod never wrote, nobody can know.
 *
 * - `complete`: every node has stored all that it held up to the trace's end and a grace beyond it.
 * - `open`: some node is not that far yet.
 * - `incomplete`: a node that may hold lines of it is silent, or lines of its time are known to be lost.
 * - `unknown`: no agent tells how far it is, or one whose records are there does not.
 */
export interface TraceState {
  readonly state: 'open' | 'complete' | 'incomplete' | 'unknown';
  /** Why, for people: one sentence for all. */
  readonly reason: string;
  /** The nodes that are the reason; at most 100. */
  readonly nodes: readonly string[];
  /** What is to be said of each of them. */
  readonly doubts: readonly NodeDoubt[];
  /** Whether waiting can change it: some live node is still to come past the trace's end. */
  readonly waits: boolean;
  /** Lines lost at the time of the trace, by node; at most 100. */
  readonly gaps: readonly LostPart[];
  /** Nodes that may have held lines of it and that somebody said are gone for good; at most 100. */
  readonly forgotten: readonly string[];
  /**
   * Up to when all nodes have stored everything, RFC 3339; null where some node never said, or cannot now. Those that
   * are forgotten do not count.
   */
  readonly watermark: string | null;
}
