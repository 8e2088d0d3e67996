/** All in milliseconds. */
export interface ListWatchTiming {
  /** Longest pause after the first failure. */
  readonly retryFirstMs: number;
  /**
   * Longest pause of all. A pod that appears during an outage is followed within two seconds of its end, which
   * bounds it; 5,000 agents that are refused then ask 7,000 times a second, a refusal each, which costs the API
   * servers less than a core. What is asked is to go on from a known version, not a list.
   */
  readonly retryCeilingMs: number;
  /** The same where permission is missing, once that has lasted for a minute: somebody has to grant it first. */
  readonly deniedCeilingMs: number;
  /** Without an answer for so long the request is sent again beside the first. */
  readonly hedgeMs: number;
  /** Without an answer for so long a request has failed. */
  readonly answerMs: number;
  /** The longest pause within the body of a list. */
  readonly bodyIdleMs: number;
  /** The longest silence on a watch: bookmarks come about every 60 s, and two may be late. */
  readonly watchIdleMs: number;
  /** How long the server is asked to keep a watch open: so much, to half as much again. */
  readonly watchMs: number;
  /** A full list now and then, against whatever nobody thought of: after so much, to twice as much. */
  readonly relistMs: number;
  /** A watch that lives for so long is a good one. */
  readonly goodMs: number;
  /** The shortest time between two watches opened upon suspicion. */
  readonly suspectMs: number;
}

export const defaultTiming: ListWatchTiming = {
  retryFirstMs: 200,
  retryCeilingMs: 1_500,
  deniedCeilingMs: 15_000,
  hedgeMs: 1_200,
  answerMs: 20_000,
  bodyIdleMs: 5_000,
  watchIdleMs: 150_000,
  watchMs: 3_600_000,
  relistMs: 7_200_000,
  goodMs: 1_000,
  suspectMs: 2_000,
};
