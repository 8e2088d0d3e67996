/** A trace in a list. */
export interface TraceSummary {
  readonly traceId: string;
  /** The times of the first and the last line that were looked at. */
  readonly firstUnixNano: string;
  readonly lastUnixNano: string;
  /** How many lines there are; of a partial one, how many were looked at, unless `linesKnown`. */
  readonly lines: number;
  /** The pods of the lines that were looked at, in the order of their first lines. */
  readonly pods: readonly string[];
  /** Their nodes, as far as they say. */
  readonly nodes: readonly string[];
  /** The worst level of the lines that were looked at; empty where none says. */
  readonly level: string;
  /** What the first line of that level says; at most 200 characters. */
  readonly message: string;
  /** Not all of its lines were looked at: times, pods and level are those of a part. */
  readonly partial: boolean;
  /** Of a partial one: the store has counted its lines. */
  readonly linesKnown?: true;
  /** Of a partial one: the times are those of all of it nevertheless. */
  readonly timesKnown?: true;
}
