import { basename, dirname } from 'node:path';
import type { Config } from './config/config.ts';
import type { OffsetStore } from './offsets/offset-store.ts';
import type { Gap } from './offsets/offsets-file.ts';
import type { Log } from './ops/log.ts';
import type { Metrics } from './ops/metrics.ts';
import type { Repeated } from './ops/repeated.ts';
import type { MakeTail } from './pods/tail.ts';
import type { ContainerTarget } from './pods/targets.ts';
import { type AgentRecord, withText } from './record/agent-record.ts';
import { ContainerRecords } from './record/container-records.ts';
import type { PartialBudget } from './record/partial-budget.ts';
import type { Containers } from './status/containers.ts';
import { allowedRoots } from './tail/allowed-roots.ts';
import { ContainerTail, type ContainerTailOptions } from './tail/container-tail.ts';
import type { Watermark } from './watermark/watermark.ts';

/** What the tails of an agent share. */
export interface AgentTailsOptions extends Pick<ContainerTailOptions, 'loop' | 'mayOpen' | 'stopBy'> {
  readonly config: Config;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly repeated: Repeated;
  readonly store: OffsetStore;
  readonly containers: Containers<ContainerTail>;
  readonly watermark: Watermark;
  readonly partials: PartialBudget;
  readonly onRecord: (record: AgentRecord) => void;
  /** Closes the batches at hand, since a file whose lines they hold is about to go. */
  readonly flush: () => void;
}

/** A line longer than the longest record by so much is no line of any runtime: its time, stream and tags. */
const LINE_OVERHEAD_BYTES = 64 * 1024;

/** Makes the tail of a container: what reads its files, what makes records of its lines, and what keeps its offsets. */
export function agentTails(options: AgentTailsOptions): MakeTail {
  const { config, log, metrics, repeated, store, containers, watermark, partials, onRecord, flush, ...rest } =
    options;
  const { maxRecordBytes, nodeName: node } = config;
  const roots = allowedRoots([config.podLogDir, ...config.logRoots]);
  return (target, { held, since }) => {
    const { namespace, pod, container, directory } = target;
    const key = keyOf(target);
    const offsets = held ? store.hold(key) : store.follow(key);
    const source = withText({ namespace, pod, container, node }, config.kubernetesMetadata);
    const records = new ContainerRecords({ source, maxRecordBytes, partials, onRecord });
    const tail: ContainerTail = new ContainerTail({
      ...rest,
      directory,
      held,
      offsets,
      onReleased: () => store.follow(key),
      sink: records,
      log: log.child({ namespace, pod, container }),
      savedAt: store.savedAt,
      since,
      maxLineBytes: maxRecordBytes + LINE_OVERHEAD_BYTES,
      allowedRoots: roots,
      onRefused: (reason) => metrics.refusedFiles.inc({ reason }),
      onGap: (gap) => {
        store.addGap(gap);
        tellGap(gap, log, metrics);
      },
      onRescan: () => metrics.rescans.inc(),
      onPerishable: flush,
      onFailure: (err) =>
        repeated.problem(
          'read',
          'A log directory cannot be read; it is tried again.',
          { err, namespace, pod, container, directory },
          'error',
        ),
      onEnd: () => {
        containers.remove(tail);
        if (tail.held) store.letGo(key);
        log.debug({ namespace, pod, container }, 'A container is let go.');
      },
    });
    containers.add({ target, tail, offsets, samples: records.samples });
    watermark.follow(tail.settledUntil, `${namespace}/${pod}/${container}`);
    log.debug({ namespace, pod, container, directory }, 'A container is followed.');
    return tail;
  };
}

/** Names a container in the offsets file and in its files' identities. */
export function keyOf({ directory }: ContainerTarget): string {
  return `${basename(dirname(directory))}/${basename(directory)}`;
}

function tellGap(gap: Gap, log: Log, metrics: Metrics): void {
  metrics.gaps.inc({ reason: gap.reason });
  metrics.gapBytes.inc(gap.to === null ? 0 : gap.to - gap.from);
  if (gap.reason === 'removed_while_down') {
    // After a crash the offsets on disk are older than what was delivered: maybe nothing is missing.
    log.warn(
      { gap },
      'A log file went while the agent was down: what it held beyond the saved offset may be lost. It is recorded as a gap.',
    );
  } else {
    log.error({ gap }, 'A part of a log file could not be read and is lost: it is recorded as a gap.');
  }
}
