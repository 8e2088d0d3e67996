import { hostname } from 'node:os';
import type { Config } from '../config/config.ts';
import type { Log } from '../ops/log.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { Gap } from '../offsets/offsets-file.ts';
import type { NodeReports } from '../writers/node-reports.ts';
import { nodeGaps, type ParseDirectory } from './node-gaps.ts';
import { Reporter } from './reporter.ts';
import type { Watermark } from './watermark.ts';

export interface ReporterOfAgentOptions {
  readonly config: Config;
  readonly destinations: () => Promise<readonly NodeReports[]>;
  readonly watermark: Watermark;
  readonly version: string;
  readonly startedAt: Date;
  readonly tails: () => Iterable<unknown>;
  readonly store: { readonly gaps: readonly Gap[] };
  readonly parsePodDirectory: ParseDirectory;
  readonly stopping: AbortSignal;
  readonly fails: (name: string) => boolean;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** The reporter of an agent. */
export function reporterOfAgent(options: ReporterOfAgentOptions): Reporter {
  const { config, tails, store, parsePodDirectory, ...same } = options;
  return new Reporter({
    ...same,
    node: config.nodeName === '' ? hostname() : config.nodeName,
    writers: config.writers,
    periodMs: config.nodeReportPeriodMs,
    leaseMs: config.nodeLeaseMs,
    containers: () => [...tails()].length,
    gaps: () => nodeGaps(store.gaps, parsePodDirectory),
  });
}
