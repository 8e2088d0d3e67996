import type { Config } from '../config/config.ts';
import type { OffsetStore } from '../offsets/offset-store.ts';
import type { Log } from '../ops/log.ts';
import type { Metrics } from '../ops/metrics.ts';
import { type AgentRecord, withText } from '../record/agent-record.ts';
import { ContainerRecords } from '../record/container-records.ts';
import type { PartialBudget } from '../record/partial-budget.ts';
import { allowedRoots } from '../tail/allowed-roots.ts';
import { ContainerTail } from '../tail/container-tail.ts';
import type { ReadLoop } from '../tail/read-loop.ts';
import { CANARY_KEY } from './canary-key.ts';

/** A line is some hundred bytes. */
const MOST_LINE_BYTES = 64 * 1024;

export interface CanaryTailOptions {
  readonly config: Pick<Config, 'kubernetesMetadata'>;
  readonly node: string;
  readonly directory: string;
  readonly store: Pick<OffsetStore, 'follow' | 'savedAt'>;
  readonly loop: ReadLoop;
  readonly partials: PartialBudget;
  readonly onRecord: (record: AgentRecord) => void;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'rescans' | 'refusedFiles'>;
}

/**
 * Follows the canary's log as any container's, but for two things: it does not hold back the node's watermark, and
 * what could not be read of it is no gap, which would make other traces incomplete.
 */
export function canaryTail(options: CanaryTailOptions): ContainerTail {
  const { config, node, directory, store, loop, partials, onRecord, log, metrics } = options;
  const source = { namespace: '', pod: 'frostbeat-canary', container: 'canary', node };
  return new ContainerTail({
    directory,
    offsets: store.follow(CANARY_KEY),
    sink: new ContainerRecords({
      source: withText(source, config.kubernetesMetadata),
      maxRecordBytes: MOST_LINE_BYTES,
      partials,
      onRecord,
    }),
    loop,
    log,
    savedAt: store.savedAt,
    maxLineBytes: MOST_LINE_BYTES,
    allowedRoots: allowedRoots([directory]),
    onRefused: (reason) => metrics.refusedFiles.inc({ reason }),
    onGap: (gap) => log.debug({ gap }, 'A part of the canary’s log could not be read.'),
    onRescan: () => metrics.rescans.inc(),
    onFailure: (err) => log.debug({ err }, 'The canary’s log cannot be read.'),
  });
}
