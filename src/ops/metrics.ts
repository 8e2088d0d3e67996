// Not from the index, which loads clusters, push gateways and https besides: 19 MB of resident memory.
import Counter from 'prom-client/lib/counter.js';
import Gauge from 'prom-client/lib/gauge.js';
import Histogram from 'prom-client/lib/histogram.js';
import Registry from 'prom-client/lib/registry.js';

/** The agent's instruments. One object a process, made at the composition root and handed to who needs it. */
export type Metrics = ReturnType<typeof createMetrics>;

/** Makes the instruments and their registry. What is counted per line is kept in plain numbers and read at a scrape. */
export function createMetrics() {
  const registry = new Registry();
  const counter = <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name: `frostbeat_${name}`, help, labelNames, registers: [registry] });
  const gauge = <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge<L>({ name: `frostbeat_${name}`, help, labelNames, registers: [registry] });
  const histogram = <L extends string = never>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: readonly L[] = [],
  ) => new Histogram<L>({ name: `frostbeat_${name}`, help, labelNames, buckets, registers: [registry] });
  const beforeScrape: (() => void)[] = [];
  const container = ['namespace', 'pod', 'container'] as const;

  return {
    registry,
    /** Called before every scrape, to bring in what is kept elsewhere. */
    beforeScrape,
    /** All metrics in Prometheus' text format, of one moment. */
    async scrape(): Promise<string> {
      for (const refresh of beforeScrape) refresh();
      return await registry.metrics();
    },

    buildInfo: gauge('build_info', 'Always 1; the labels tell what runs.', ['version', 'node_version']),
    ready: gauge('ready', '1 where /readyz says so, else 0.'),

    logLines: counter(
      'log_lines_total',
      "Lines of the agent's own log that tell of something amiss, by level.",
      ['level'],
    ),

    linesRead: counter(
      'lines_read_total',
      'Lines read from log files. Each is delivered, skipped, dead-lettered or in flight.',
    ),
    linesDelivered: counter('lines_delivered_total', 'Lines whose record is stored by every writer.'),
    linesSkipped: counter('lines_skipped_total', 'Lines that are no record, by reason.', ['reason']),
    linesDeadLettered: counter(
      'lines_dead_lettered_total',
      'Lines whose record a destination refused for good.',
    ),
    linesInFlight: gauge('lines_in_flight', 'Lines read whose fate is open.'),
    bytesRead: counter('read_bytes_total', 'Bytes of the lines read.'),
    records: counter('records_total', 'Records made of the lines; one may take several.'),

    pods: gauge('pods', 'Pods whose logs are followed.'),
    podWatchUp: gauge(
      'pod_watch_up',
      '1 where a watch on the Kubernetes API is open, else 0; by namespace, empty for all.',
      ['namespace'],
    ),
    heldPods: gauge(
      'pods_held',
      'Pods of which the source has not told yet whether they are selected: their files are held open.',
    ),
    unknownPods: counter(
      'pods_unknown_total',
      'Pods that came and went while the source told nothing: whether they were selected is not known.',
    ),
    podWatchStarts: counter('pod_watch_starts_total', 'Watches opened on the Kubernetes API.'),
    podLists: counter('pod_lists_total', 'Full lists of pods asked of the Kubernetes API.'),
    podApiErrors: counter('pod_api_errors_total', 'Lists and watches that failed, by reason.', ['reason']),
    containers: gauge('containers', 'Containers whose logs are followed.'),
    containersHeld: gauge(
      'containers_held',
      'Containers of pods that are not known yet: their files are held open, and not read.',
    ),
    filesOpen: gauge('files_open', 'Log files open.'),
    heldBytes: gauge(
      'deleted_files_held_bytes',
      'Bytes of deleted files that are held open until they are read.',
    ),
    behindBytes: gauge('behind_bytes', 'Bytes written and not read yet.', container),
    behindSeconds: gauge(
      'behind_seconds',
      'Age of the oldest byte that is not read yet; 0 for none.',
      container,
    ),
    deletionSeconds: gauge(
      'unread_deletion_seconds',
      'Seconds until the kubelet deletes the file with the oldest unread byte, should the container go on ' +
        'writing as it does; 0 where only an open descriptor keeps it; absent where nothing threatens.',
      container,
    ),
    readingPaused: gauge(
      'reading_paused',
      '1 while reading waits for a writer to take what was read, else 0.',
    ),
    polls: counter('poll_rounds_total', 'Rounds of looks at what is open.'),
    rescans: counter('directory_rescans_total', 'Container directories listed anew.'),
    watchErrors: counter(
      'directory_watch_errors_total',
      'Errors of directory watching; polling covers for it.',
    ),
    refusedFiles: counter('files_refused_total', 'Files not read, by reason.', ['reason']),

    writerUp: gauge('writer_up', '1 where the writer works as far as is known, else 0.', ['writer']),
    writerLastWrite: gauge(
      'writer_last_write_timestamp_seconds',
      'When the writer last stored a batch; 0 for never.',
      ['writer'],
    ),
    batchesWaiting: gauge('batches_waiting', 'Batches taken by a writer and not stored yet.', ['writer']),
    batchesInFlight: gauge('batches_in_flight', 'Batches that are being written.', ['writer']),
    batchesFailed: gauge('batches_failed', 'Batches that failed and wait to be tried again.', ['writer']),
    waitingBytes: gauge('batches_waiting_bytes', 'Bytes of the records in the batches that wait.', [
      'writer',
    ]),
    batchRecords: histogram(
      'batch_records',
      'Records in a batch that was tried.',
      [1, 5, 10, 20, 50, 100, 200, 500, 1000, 5000],
      ['writer'],
    ),
    batchBytes: histogram(
      'batch_bytes',
      'Bytes of the records in a batch that was tried.',
      [1e3, 4e3, 16e3, 64e3, 256e3, 1e6, 4e6],
      ['writer'],
    ),
    recordsDelivered: counter('records_delivered_total', 'Records stored, by writer.', ['writer']),
    writeSeconds: histogram(
      'write_seconds',
      'Time a batch took to be written, by writer and outcome.',
      [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      ['writer', 'outcome'],
    ),
    retries: counter('retries_total', 'Batches tried again, by writer.', ['writer']),
    deadLetters: counter('dead_letters_total', 'Records a destination refused for good, by writer.', [
      'writer',
    ]),
    deadLettersDropped: counter(
      'dead_letters_dropped_total',
      'Dead letters given up because too many are kept already.',
    ),

    offsetCommits: counter('offset_commits_total', 'Times the offsets were saved.'),
    offsetsCommitted: gauge(
      'offsets_last_commit_timestamp_seconds',
      'When the offsets were last saved; 0 for not since the start.',
    ),
    offsetCommitErrors: counter('offset_commit_errors_total', 'Times the offsets could not be saved.'),
    gapBytes: counter('gap_bytes_total', 'Bytes that could not be read and are recorded as gaps.'),
    watermark: gauge(
      'watermark_timestamp_seconds',
      'Time up to which every line of every selected container is stored or accounted for; 0 while not known.',
    ),
    watermarkLag: gauge(
      'watermark_lag_seconds',
      'How far that time is behind; since the start of the agent while it is not known.',
    ),
    nodeReports: counter(
      'node_reports_total',
      'Times it was told beside the records up to when they are complete, by destination and outcome.',
      ['destination', 'outcome'],
    ),
    gaps: counter('gaps_total', 'Gaps recorded, by reason.', ['reason']),

    canariesSent: counter(
      'canaries_sent_total',
      'Lines of its own that the agent wrote to try the whole path, by destination; see docs/canary.md.',
      ['destination'],
    ),
    canariesReceived: counter('canaries_received_total', 'Those that were read back in time.', [
      'destination',
    ]),
    canariesLost: counter('canaries_lost_total', 'Those that could not be read back within CANARY_TIMEOUT.', [
      'destination',
    ]),
    canariesLate: counter('canaries_late_total', 'Those lost ones that were read back after all.', [
      'destination',
    ]),
    canarySeconds: histogram(
      'canary_seconds',
      'Time from the writing of such a line until it was read back, of those that were in time.',
      [0.1, 0.25, 0.5, 1, 2.5, 5, 7.5, 10, 15, 30, 60, 120],
      ['destination'],
    ),
  };
}

/** Sets a counter to a sum that is kept elsewhere and only grows. */
export function setTotal(counter: Counter, total: number, labels: Record<string, string> = {}): void {
  counter.remove(labels);
  counter.inc(labels, total);
}
