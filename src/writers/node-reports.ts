import type { NodeReport } from './node-report.ts';

/** A store that an agent tells of its node, so that whoever reads the records there knows how far they go. */
export interface NodeReports {
  /** Names the store in logs and metrics. */
  readonly name: string;

  /** It is told no more often, in milliseconds; without it, as often as any. */
  readonly everyMs?: number;

  /**
   * What was told of this node last, maybe by an earlier run; undefined where nothing was, or it may not be read.
   *
   * @throws where the store does not answer.
   */
  last(node: string, signal: AbortSignal): Promise<NodeReport | undefined>;

  /** Tells it, in place of what was told before. With `stopped`, it is the last word. @throws to be tried again; RetryAfterError for how soon. */
  publish(report: NodeReport, signal: AbortSignal): Promise<void>;

  /**
   * Looks whether reports of this node may be told, without telling one.
   *
   * @returns what cannot be told from here, where that is so. @throws why they may not, and what to do.
   */
  check(node: string, signal: AbortSignal): Promise<string | undefined>;

  close?(): Promise<void>;
}
