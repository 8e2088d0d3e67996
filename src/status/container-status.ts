import { SKIP_REASONS } from '../offsets/ledger.ts';
import type { ContainerState, ContainerStatus, FileStatus, SampleStatus } from '../ops/status.ts';
import type { SkipSamples } from '../record/skip-samples.ts';
import type { FileTail } from '../tail/file-tail.ts';
import type { Figures } from './containers.ts';

/** What else decides how it stands with a container. */
export interface Circumstances {
  /** Why reading waits; undefined where it does not. */
  readonly waitsFor: string | undefined;
  /** Its pod is neither deleted nor deselected. */
  readonly wanted: boolean;
  /** Skipped lines may be shown. */
  readonly showSkippedLines: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Unread for longer than this is behind; every busy container is for a moment. */
const BEHIND_SECONDS = 10;
const QUIET_MS = 60_000;

/** How it stands with a container, in plain values. */
export function containerStatus(figures: Figures, circumstances: Circumstances): ContainerStatus {
  const { target, tail, offsets, samples, lastRecordAt } = figures;
  const { namespace, pod, uid, container, directory } = target;
  const { lines, records, delivered, deadLettered, inFlight, skipped } = offsets.ledger();
  const [state, why] = stateOf(figures, { lines, records, skipped }, circumstances);
  return {
    namespace,
    pod,
    uid,
    container,
    directory,
    state,
    why,
    behindBytes: figures.behindBytes,
    behindSeconds: figures.behindSeconds,
    deletionSeconds: figures.deletionSeconds ?? null,
    bytesPerSecond: figures.bytesPerSecond ?? null,
    lastDataAt: timeOf(tail.lastDataAt),
    lastRecordAt: timeOf(lastRecordAt),
    lines,
    records,
    delivered,
    deadLettered,
    inFlight,
    skipped: Object.fromEntries(Object.entries(skipped).filter(([, count]) => count > 0)),
    samples: circumstances.showSkippedLines ? sampled(samples) : [],
    files: tail.files.ordered.map(fileStatus),
  };
}

function sampled(samples: Pick<SkipSamples, 'get'>): SampleStatus[] {
  return SKIP_REASONS.flatMap((reason) => {
    const sample = samples.get(reason);
    return sample === undefined ? [] : [{ reason, text: sample.text, at: new Date(sample.at).toISOString() }];
  });
}

export function timeOf(ms: number | undefined): string | null {
  return ms === undefined || ms === 0 ? null : new Date(ms).toISOString();
}

function stateOf(
  { tail, behindBytes, behindSeconds }: Figures,
  counts: { lines: number; records: number; skipped: Readonly<Record<string, number>> },
  { waitsFor, wanted, now }: Circumstances,
): [ContainerState, string] {
  if (tail.held) return ['held', 'It is not known yet whether its pod is selected: its files are held open.'];
  if (tail.failure !== undefined) return ['failing', tail.failure];
  if (behindBytes > 0 && waitsFor !== undefined) return ['waiting', waitsFor];
  if (behindBytes > 0 && behindSeconds >= BEHIND_SECONDS) {
    return ['behind', 'It writes faster than is read, or reading has just begun.'];
  }
  if (counts.lines > 0 && counts.records === 0 && Object.values(counts.skipped).some((count) => count > 0)) {
    const reasons = Object.keys(counts.skipped).filter((reason) => (counts.skipped[reason] ?? 0) > 0);
    return ['no records', `Not one of its lines is a record (${reasons.join(', ')}).`];
  }
  if (!wanted) return ['draining', 'Its pod has left: what is there is read to the end.'];
  if (tail.files.ordered.length === 0) return ['empty', 'It has no log file with a line in it yet.'];
  const quiet = tail.lastDataAt === undefined || now - tail.lastDataAt > QUIET_MS;
  return quiet ? ['quiet', ''] : ['reading', ''];
}

function fileStatus(file: FileTail): FileStatus {
  const { entry, window, taken, stat, finished, isOpen, deleted } = file;
  const held = isOpen && deleted ? 'deleted, held open' : isOpen ? 'reading' : 'not open';
  return {
    name: entry.name,
    offset: window.committed,
    read: taken,
    size: stat.size,
    state: finished ? 'done' : held,
  };
}
