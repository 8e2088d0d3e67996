import type { Lookout } from '../canary/lookout.ts';
import type { Config } from '../config/config.ts';
import type { Destination } from '../deliver/destination.ts';
import type { OffsetStore } from '../offsets/offset-store.ts';
import type { Gap } from '../offsets/offsets-file.ts';
import type { Health } from '../ops/health.ts';
import type { CanaryStatus, GapStatus, Status, WatermarkStatus, WriterStatus } from '../ops/status.ts';
import type { Troubles } from '../ops/troubles.ts';
import type { PodLogManager } from '../pods/pod-log-manager.ts';
import type { PodSource } from '../pods/targets.ts';
import type { Mark } from '../watermark/watermark.ts';
import { containerStatus, timeOf } from './container-status.ts';
import type { Containers } from './containers.ts';
import { notFollowed, type NotFollowedOptions } from './not-followed.ts';

/** The parts of the agent that tell of themselves. */
export interface Told {
  readonly config: Config;
  readonly version: string;
  readonly startedAt: Date;
  readonly health: Health;
  readonly troubles: Pick<Troubles, 'list'>;
  readonly containers: Containers;
  readonly manager: Pick<PodLogManager, 'pod'>;
  readonly watches: PodSource['watches'];
  readonly destinations: readonly Destination[];
  readonly store: Pick<OffsetStore, 'ledger' | 'gaps'>;
  readonly parsePodDirectory: NotFollowedOptions['parse'];
  readonly mark: Mark | undefined;
  readonly lookouts: readonly Pick<Lookout, 'name' | 'counts' | 'losing' | 'last'>[];
}

const MOST_GAPS = 50;

/** Gathers what the agent is doing now. */
export async function gatherStatus(told: Told): Promise<Status> {
  const { config, health, manager, destinations, store } = told;
  const now = Date.now();
  const { skipped, bytes, lines, records, delivered, deadLettered, inFlight } = store.ledger();
  const waitsFor = whatReadingWaitsFor(destinations);
  const others = notFollowed({
    config,
    parse: told.parsePodDirectory,
    pod: (directory) => manager.pod(directory),
  });
  return {
    version: 1,
    now: new Date(now).toISOString(),
    agent: {
      version: told.version,
      node: config.nodeName,
      startedAt: told.startedAt.toISOString(),
      residentBytes: process.memoryUsage.rss(),
      podSource: config.podSource,
      namespaces: config.namespaces ?? null,
      selector: config.selector,
      podLogDir: config.podLogDir,
      stateDir: config.stateDir,
    },
    ready: health.ready(),
    live: health.live(),
    totals: { bytes, lines, records, delivered, deadLettered, inFlight, skipped },
    watermark: watermarkStatus(told.mark),
    paused: waitsFor !== undefined,
    writers: destinations.map(writerStatus),
    watches: (told.watches ?? []).map((watch) => ({ ...watch, trouble: watch.trouble ?? null })),
    canaries: told.lookouts.map(canaryStatus),
    containers: [...told.containers.figures(now)].map((figures) =>
      containerStatus(figures, {
        waitsFor,
        showSkippedLines: config.showSkippedLines,
        wanted: manager.pod(podDirectory(figures.target.directory))?.wanted ?? false,
        now,
      }),
    ),
    notFollowed: await others,
    gaps: store.gaps.slice(-MOST_GAPS).toReversed().map(gapStatus),
    troubles: told.troubles.list(),
  };
}

function whatReadingWaitsFor(destinations: readonly Destination[]): string | undefined {
  if (destinations.length === 0) return 'The writers are not loaded yet.';
  const full = destinations.find((one) => one.full);
  if (full === undefined) return undefined;
  return `The writer ${full.name} ${full.failure === undefined ? 'is slower than the containers write' : 'fails'}.`;
}

function writerStatus({ name, failure, full, queue, workedAt }: Destination): WriterStatus {
  return { name, failure: failure ?? null, full, ...queue, lastWriteAt: timeOf(workedAt) };
}

function watermarkStatus(mark: Mark | undefined): WatermarkStatus | null {
  if (mark === undefined) return null;
  return { at: timeOf(mark.at), lagSeconds: mark.lagSeconds ?? null, restsOn: mark.restsOn };
}

function canaryStatus({ name, counts, losing, last }: Told['lookouts'][number]): CanaryStatus {
  return {
    destination: name,
    ...counts,
    losing,
    lastAt: timeOf(last?.at),
    lastSeconds: last?.seconds ?? null,
  };
}

function gapStatus({ container, file, reason, from, to, until }: Gap): GapStatus {
  return { container, file, reason, bytes: to === null ? null : to - from, until };
}

function podDirectory(containerDirectory: string): string {
  return containerDirectory.slice(0, containerDirectory.lastIndexOf('/'));
}
