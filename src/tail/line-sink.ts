import type { Claim, InFlight } from '../offsets/in-flight.ts';
import type { ByteSlice } from '../util/byte-slice.ts';

/**
 * Takes the lines of one container, in the order of its files. Each line is claimed or skipped in `file` before
 * the call returns, so that no byte that was handed over is unaccounted for.
 */
export interface LineSink {
  /**
   * @param line without its LF, which stands behind it. Its bytes stay as they are for as long as they are wanted.
   * @param start offset of its first byte in `file`.
   * @param end offset behind its LF.
   */
  line(line: ByteSlice, file: InFlight, start: number, end: number): void;
  /** A line longer than any record may be. @param head its first bytes; the others are not kept. */
  tooLong(head: ByteSlice, file: InFlight, start: number, end: number): void;
  /** The last lines are the begin of a record whose end is still to come. */
  readonly withinRecord: boolean;
  /** Whether the next piece may be read now; where it may not, it is asked again. */
  mayReadOn(): boolean;
  /** The claims of lines that wait for the end of their record. */
  readonly waiting: readonly Claim[];
  /** Nothing was written for a while: a record that lacks only its last fragment may be taken as complete. */
  idle(): void;
  /** The container has ended, or a part of its log is lost: no more fragments come. */
  end(): void;
}
