import { basename, dirname, join } from 'node:path';
import { agentTails, keyOf } from './agent-tails.ts';
import type { AgentsCanary } from './canary/of-agent.ts';
import { CANARY_KEY } from './canary/canary-key.ts';
import type { Config } from './config/config.ts';
import { DeadLetters } from './deliver/dead-letters.ts';
import { Destination } from './deliver/destination.ts';
import { Committer } from './offsets/committer.ts';
import { directoryExists, OffsetStore } from './offsets/offset-store.ts';
import { GAP_REASONS, loadOffsets } from './offsets/offsets-file.ts';
import { Health } from './ops/health.ts';
import type { HttpOptions, HttpServer } from './ops/http.ts';
import { showLedger } from './ops/ledger-metrics.ts';
import type { Log } from './ops/log.ts';
import { type Metrics, setTotal } from './ops/metrics.ts';
import { Repeated } from './ops/repeated.ts';
import type { Status } from './ops/status.ts';
import type { Troubles } from './ops/troubles.ts';
import { SpareMemory } from './ops/spare-memory.ts';
import { DirectorySource } from './pods/directory-source.ts';
import { containerTarget, parsePodDirectory } from './pods/log-path.ts';
import { PodLogManager } from './pods/pod-log-manager.ts';
import { selectContainers } from './pods/select-containers.ts';
import type { ContainerTarget, PodSource } from './pods/targets.ts';
import type { AgentRecord } from './record/agent-record.ts';
import { PartialBudget } from './record/partial-budget.ts';
import { showContainers } from './status/container-metrics.ts';
import { Containers } from './status/containers.ts';
import { showDestinations } from './status/destination-metrics.ts';
import type { ContainerTail } from './tail/container-tail.ts';
import { descriptorLimits, Descriptors } from './tail/descriptors.ts';
import { HeldFiles } from './tail/held-files.ts';
import { ReadLoop } from './tail/read-loop.ts';
import { WallTimes } from './util/wall-times.ts';
import { reporterOfAgent } from './watermark/of-agent.ts';
import { Watermark } from './watermark/watermark.ts';
import { abortAfter } from './util/abort-after.ts';
import { selectNodeReports } from './writers/select-node-reports.ts';
import { selectWriters } from './writers/select-writer.ts';

export interface AgentOptions {
  readonly config: Config;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly version: string;
  /** The last lines of `log` that tell of something amiss. */
  readonly troubles: Pick<Troubles, 'list'>;
  /** Aborts when the agent is to stop. */
  readonly signal: AbortSignal;
}

/** Lines whose end is still to come may take so much memory before others like them wait; twice that at most. */
const PARTIAL_BYTES = 32 * 1024 * 1024;
/** The read loop goes round twenty times a second; after so long without a round it is stuck. */
const STUCK_MS = 30_000;
/** Offsets are saved every second; a disk that takes so long for it will not by itself. */
const SAVING_STUCK_MS = 120_000;

/**
 * The DaemonSet's process: builds the parts in the order of the data path and stops them in that order.
 * Resolves when everything has stopped.
 *
 * @throws where it cannot start: the port is taken, the offsets cannot be read, a writer's module is wrong.
 */
export async function runAgent({
  config,
  log,
  metrics,
  signal,
  version,
  troubles,
}: AgentOptions): Promise<void> {
  const startedAt = new Date();
  const { stateDir, podLogDir } = config;
  const health = new Health();
  const repeated = new Repeated(log);
  const running = new AbortController(); // Ends what must outlive the tails.
  const failed = new AbortController(); // Ends everything, because the start has failed.
  const stop = AbortSignal.any([signal, failed.signal]);
  const stopBy = AbortSignal.any([abortAfter(signal, config.shutdownTimeoutMs), failed.signal]);

  // offsets: where reading begins, and what is remembered
  const store = new OffsetStore(await loadOffsets(stateDir, log), directoryExists(podLogDir));
  const saving = health.watches('offsets', SAVING_STUCK_MS);
  const committer = new Committer({
    store,
    stateDir,
    log,
    onSaved: () => {
      metrics.offsetCommits.inc();
      metrics.offsetsCommitted.setToCurrentTime();
    },
    onTurn: () => saving.moved(),
    onFailed: () => metrics.offsetCommitErrors.inc(),
  });
  health.needs('state', () => committer.failure);

  // deliver: what takes records, from the last part to the first
  const deadLetters = new DeadLetters({ directory: join(stateDir, 'dead-letters'), log, repeated, metrics });
  const destinations: Destination[] = [];

  // A series that begins with its first gap would show no increase.
  for (const reason of GAP_REASONS) metrics.gaps.inc({ reason }, 0);

  // watermark: up to when all of this node is stored
  const watermark = new Watermark({ seenTo: () => manager.seenTo(), times: new WallTimes() });

  // tail: one loop reads all containers
  const containers = new Containers<ContainerTail>({
    maxSize: config.kubeletLogMaxSize,
    maxFiles: config.kubeletLogMaxFiles,
  });
  let canary: AgentsCanary | undefined;
  const allTails = () => (canary === undefined ? containers.tails() : [...containers.tails(), canary.tail]);
  const progress = health.watches('reading', STUCK_MS);
  const gate = {
    get open() {
      return destinations.length > 0 && !destinations.some(({ full }) => full);
    },
  };
  const limits = descriptorLimits();
  const descriptors = new Descriptors(limits);
  const heldFiles = new HeldFiles({ bytes: config.maxHeldBytes, unknown: limits.unknown });
  const spareMemory = new SpareMemory(globalThis.gc);
  const loop: ReadLoop = new ReadLoop(gate, (now) => {
    progress.moved();
    spareMemory.look(now, loop.lastRead);
    metrics.heldBytes.set(heldFiles.keepWithin(allTails()));
    descriptors.share(allTails);
    containers.sample(now);
  });
  const partials = new PartialBudget(Math.max(PARTIAL_BYTES, 4 * config.maxRecordBytes), () =>
    log.warn(
      'A line whose end has not come is skipped as too_long: the lines that lack their end fill their memory.',
    ),
  );

  const take = (record: AgentRecord): void => {
    for (const destination of destinations) destination.add(record);
  };

  const makeTail = agentTails({
    config,
    log,
    metrics,
    repeated,
    store,
    containers,
    watermark,
    loop,
    stopBy,
    partials,
    mayOpen: descriptors.mayOpen,
    onRecord: take,
    flush: () => {
      for (const destination of destinations) destination.flush();
    },
  });

  // pods: which containers to follow
  let source: PodSource | undefined;
  const manager: PodLogManager = new PodLogManager({
    podLogDir,
    makeTail,
    log,
    metrics,
    remembered: store.remembered().flatMap((key) => {
      const target = targetOf(podLogDir, key);
      return target === undefined ? [] : [{ ...target, excluded: store.excluded(dirname(key)) }];
    }),
    unread: ({ directory }) => store.unread(basename(directory)),
    onTold: ({ directory, excluded = [] }) => store.exclude(basename(directory), excluded),
    onForgotten: (target) => store.release(keyOf(target)),
    selects: selectContainers(config),
    holds: ({ namespace }) => config.namespaces?.includes(namespace) ?? true,
    ...(store.savedAt !== undefined && {
      unselected: store.unselected().map((name) => join(podLogDir, name)),
    }),
    source: {
      suspect: (pod) => source?.suspect?.(pod),
      heard: (pod) => source?.heard?.(pod),
      existing: async (pod, end) => (await source?.existing?.(pod, end)) ?? new Set([pod.directory]),
    },
  });
  health.needs('pods', () => podsNotReady(source, manager));
  store.unselected = () => manager.unselected.map((directory) => basename(directory));
  health.needs('logs', () => manager.notReady);

  metrics.beforeScrape.push(() => {
    showContainers(metrics, containers.figures(), config.metricsContainers);
    showDestinations(metrics, destinations);
    for (const { namespace, open } of source?.watches ?? [])
      metrics.podWatchUp.set({ namespace }, open ? 1 : 0);
    metrics.readingPaused.set(gate.open ? 0 : 1);
    setTotal(metrics.polls, loop.rounds);
    metrics.ready.set(health.ready().ok ? 1 : 0);
    showLedger(metrics, store.ledger());
  });

  const reporter = reporterOfAgent({
    config,
    destinations: () => selectNodeReports(config),
    watermark,
    version,
    startedAt,
    tails: () => containers.tails(),
    store,
    parsePodDirectory: (name) => parsePodDirectory(podLogDir, name),
    stopping: stop,
    fails: (name) => destinations.some((one) => one.name === name && one.failure !== undefined),
    log,
    metrics,
  });

  const status = async (): Promise<Status> => {
    // Loaded when somebody first looks: most agents are never looked at.
    const { gatherStatus } = await import('./status/gather.ts');
    const { watches } = source ?? {};
    const parts = { config, health, troubles, containers, manager, watches, destinations, store };
    const { mark } = reporter;
    const lookouts = canary?.lookouts ?? [];
    return await gatherStatus({ ...parts, mark, lookouts, version, startedAt, parsePodDirectory });
  };

  // Files first: what is deleted before it is open is lost, and the clients of API and store take a while to load.
  await manager.open();
  const reading = loop.run(running.signal);
  const managing = manager.run(stop);
  let following: Promise<unknown> = managing;
  let http: HttpServer | undefined;
  try {
    source = await podSource({ config, log, metrics });
    following = Promise.all([source.run(manager, stop), managing]);
    for (const writer of await selectWriters({ config, log })) {
      const destination = new Destination({
        writer,
        batchSize: config.batchSize,
        batchPeriodMs: config.batchPeriodMs,
        maxInFlight: config.maxInFlight,
        deadLetter: (rejections, name) => deadLetters.add(rejections, name),
        log,
        metrics,
        onRoom: () => loop.wake(),
      });
      destinations.push(destination);
      health.needs(`writer ${destination.name}`, () => destination.failure);
      health.dies(`writer ${destination.name}`, () => destination.stuck());
    }
    // canary: a line of our own now and then, on the same way
    if (config.canaryIntervalMs > 0) {
      const { canaryOfAgent } = await import('./canary/of-agent.ts');
      canary = await canaryOfAgent({ config, store, loop, partials, onRecord: take, log, metrics });
    } else store.release(CANARY_KEY);
    http = await httpServer({ port: config.httpPort, health, metrics, status, repeated });
  } catch (error) {
    failed.abort();
    await following;
    running.abort();
    await reading;
    throw error;
  }
  log.info(
    {
      writers: config.writers,
      podSource: config.podSource,
      node: config.nodeName,
      podLogDir,
      stateDir,
      httpPort: http?.port ?? 0,
    },
    'Frostbeat follows the logs of this node.',
  );
  const background = Promise.all([
    committer.run(running.signal),
    reporter.run(running.signal),
    ...destinations.map((destination) => destination.run(running.signal)),
  ]);
  const trying = canary?.run(stop);
  await Promise.all([following, trying]);

  log.info('Stopping: what was read is delivered first.');
  await Promise.all(destinations.map((destination) => destination.drain(stopBy)));
  running.abort();
  await Promise.all([reading, background]);
  await committer.save();
  await reporter.end(destinations.every(({ queue }) => queue.batches === 0));
  await Promise.all(destinations.map((destination) => destination.close()));
  await deadLetters.close();
  const { skipped, ...ledger } = store.ledger();
  log.info({ ...ledger, skipped }, 'Stopped.');
  await http?.close();
}

/** What is missing before the pods are known, for /readyz. */
function podsNotReady(source: PodSource | undefined, { held }: PodLogManager): string | undefined {
  const missing = source === undefined ? 'the source of pods is being loaded' : source.notReady;
  if (missing === undefined || held === 0) return missing;
  return `${missing}; until then the log files of ${held} pods are held open, and not read`;
}

async function httpServer(options: HttpOptions): Promise<HttpServer | undefined> {
  if (options.port === 0) return undefined;
  const { serveHttp } = await import('./ops/http.ts');
  return await serveHttp(options);
}

async function podSource({
  config,
  log,
  metrics,
}: Pick<AgentOptions, 'config' | 'log' | 'metrics'>): Promise<PodSource> {
  const { podLogDir, namespaces, nodeName, selector, stateDir } = config;
  if (config.podSource === 'directory') return new DirectorySource({ podLogDir, namespaces, log, metrics });
  // The client costs memory and start-up time: loaded only where the API is used.
  const { openPodWatch } = await import('./pods/pod-watch.ts');
  const versionsPath = join(stateDir, 'pod-versions.json');
  return await openPodWatch({ nodeName, namespaces, selector, podLogDir, versionsPath, log, metrics });
}

function targetOf(podLogDir: string, key: string): ContainerTarget | undefined {
  const [directory = '', container = ''] = key.split('/');
  const pod = parsePodDirectory(podLogDir, directory);
  return pod === undefined || container === '' ? undefined : containerTarget(pod, container);
}
