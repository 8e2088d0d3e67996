/** What time it is, and how it passes: tests have their own. */
export interface Clock {
  /** Milliseconds since 1970, as lines are stamped with. */
  wall(): number;
  /** Milliseconds of a clock that is never set. */
  steady(): number;
  /** Ends early, and without an error, when the signal aborts. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
}
