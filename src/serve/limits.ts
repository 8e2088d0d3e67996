import { Problem } from './problem.ts';

/** What a request may take: with these, memory has a bound whatever is asked for. */
export interface Limits {
  /** Most records in a page, and what is taken without a word. */
  readonly pageRecords: number;
  readonly defaultPageRecords: number;
  /** A page is full at so many bytes of records; one record may exceed it alone. */
  readonly pageBytes: number;
  /** Longest time that a page is worked on, in milliseconds: what was found until then is the page. */
  readonly pageMs: number;
  /** Most pages and lists that are worked on at once. */
  readonly pagesAtOnce: number;
  /** Most streams that are open at once. */
  readonly streamsAtOnce: number;
  /** A stream whose client takes nothing for so many milliseconds is ended. */
  readonly stalledMs: number;
  /** How often a quiet stream shows that it is alive, in milliseconds. */
  readonly heartbeatMs: number;
  /** How long a list of recent traces is good for, in milliseconds. */
  readonly recentMs: number;
  /** How often the state of a trace is looked at while it is followed, in milliseconds. */
  readonly stateMs: number;
  /** So many records of a trace, the first, are looked at for nodes that tell nothing of themselves. */
  readonly stateRecords: number;
  /** And for so long, in milliseconds: records may be large and stores slow, and the page waits. */
  readonly stateRecordsMs: number;
  readonly connections: number;
}

export const defaultLimits: Limits = {
  pageRecords: 1_000,
  defaultPageRecords: 500,
  pageBytes: 4 * 2 ** 20,
  pageMs: 10_000,
  pagesAtOnce: 8,
  streamsAtOnce: 64,
  stalledMs: 60_000,
  heartbeatMs: 15_000,
  recentMs: 1_000,
  stateMs: 1_000,
  stateRecords: 5_000,
  stateRecordsMs: 2_000,
  connections: 512,
};

/** Lets so many at once in. */
export class Gate {
  readonly #what: string;
  readonly #most: number;
  #inside = 0;

  /** @param what what they are, for the words with which others are turned away. */
  constructor(what: string, most: number) {
    this.#what = what;
    this.#most = most;
  }

  /** @throws Problem where it is full. */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#inside >= this.#most) {
      throw new Problem(503, `Too many ${this.#what} at once: try again`, { 'retry-after': '1' });
    }
    this.#inside += 1;
    try {
      return await work();
    } finally {
      this.#inside -= 1;
    }
  }
}
