/** How long the tail of a container waits for what, in milliseconds. */
export interface Timing {
  /** Polled so often while the container writes, and so often while it is quiet. */
  readonly busyLook: number;
  readonly quietLook: number;
  /**
   * For each container that writes, so much passes at least between two looks at one of these, up to `mostBusyLook`:
   * with many of them each has more to read at a time, and all of them cost little more than a few.
   */
  readonly busySpacing: number;
  readonly mostBusyLook: number;
  /** The same for those that are quiet, for each of all. */
  readonly quietSpacing: number;
  readonly mostQuietLook: number;
  /** A container that wrote nothing for so long is quiet. */
  readonly quietAfter: number;
  /** The directory's own time is looked at so often, and the directory is listed at least so often. */
  readonly directoryLook: number;
  readonly rescan: number;
  /**
   * After a rotation the runtime may write to the renamed file for a moment, even when the new one is there. So
   * long a file must have been at its end, with a newer one beside it, before reading goes on in that.
   */
  readonly settle: number;
  /** The same where the file ends within a line: whoever writes it has not finished. */
  readonly settleTorn: number;
  /** A file that was read to its end stays open for so long, should the runtime still write to it. */
  readonly linger: number;
  /** After so long without a line, a record that lacks only an end is taken. */
  readonly idle: number;
  /** A compressed file that ends too early, or is damaged, is given up after so long. */
  readonly torn: number;
  /** A pod that is deleted may still write its last lines for so long. */
  readonly drainGrace: number;
  /** And so much longer for the end of a record whose begin was read. */
  readonly drainCut: number;
  /** Pause after a failure to read. */
  readonly failure: number;
}

export const TIMING: Timing = {
  busyLook: 50,
  quietLook: 500,
  busySpacing: 4,
  mostBusyLook: 1_800,
  quietSpacing: 2,
  mostQuietLook: 900,
  quietAfter: 10_000,
  directoryLook: 300,
  rescan: 30_000,
  settle: 500,
  settleTorn: 5_000,
  linger: 15_000,
  idle: 300,
  torn: 60_000,
  drainGrace: 2_000,
  drainCut: 5_000,
  failure: 5_000,
};
