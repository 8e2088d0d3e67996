/** A record as a container of the simulated node printed it. */
export interface WrittenRecord {
  readonly pod: string;
  readonly container: string;
  readonly unixNano: string;
  /** The JSON text, without the line end. */
  readonly json: string;
}

/** All that belongs to one trace, and whether more will come. */
export interface WrittenTrace {
  readonly traceId: string;
  readonly title: string;
  readonly failed: boolean;
  /** In the order of time. */
  readonly records: readonly WrittenRecord[];
  readonly ended: boolean;
}

/** Remembers what was written, the newest traces only: what the store holds is compared with it. */
export class WrittenTraces {
  readonly #traces = new Map<
    string,
    { title: string; failed: boolean; ended: boolean; records: WrittenRecord[] }
  >();
  readonly #most: number;

  /** @param most how many traces are remembered, at least 1. */
  constructor(most = 5_000) {
    this.#most = most;
  }

  begin(traceId: string, title: string, failed: boolean): void {
    this.#traces.set(traceId, { title, failed, ended: false, records: [] });
    if (this.#traces.size <= this.#most) return;
    const [oldest] = this.#traces.keys();
    if (oldest !== undefined) this.#traces.delete(oldest);
  }

  add(traceId: string, record: WrittenRecord): void {
    this.#traces.get(traceId)?.records.push(record);
  }

  end(traceId: string): void {
    const trace = this.#traces.get(traceId);
    if (trace !== undefined) trace.ended = true;
  }

  /** The traces that are whole, the oldest first. */
  ended(): WrittenTrace[] {
    return [...this.#traces]
      .filter(([, { ended }]) => ended)
      .map(([traceId, trace]) => ({ traceId, ...trace }));
  }
}
