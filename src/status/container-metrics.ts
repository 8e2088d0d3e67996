import type { Metrics } from '../ops/metrics.ts';
import type { Figures } from './containers.ts';

/** The labels of the sums over the containers that have no series of their own. */
const OTHERS = { namespace: '', pod: '(others)', container: '' };

interface Series {
  readonly labels: typeof OTHERS;
  bytes: number;
  seconds: number;
  deletion: number;
}

/**
 * Brings the containers' figures into the metrics: those followed for longest have series of their own, up to
 * `most` of them; the others are summed up in one more, with the largest age and the shortest time. What is
 * followed no more has none.
 */
export function showContainers(metrics: Metrics, figures: Iterable<Figures>, most: number): void {
  const { containers, containersHeld, filesOpen, behindBytes, behindSeconds, deletionSeconds } = metrics;
  const all = new Map<string, Series>();
  let count = 0;
  let held = 0;
  let open = 0;
  for (const { target, tail, ...one } of figures) {
    open += tail.files.open;
    if (tail.held) {
      held++;
      continue;
    }
    count++;
    const { namespace, pod, container } = target;
    // A pod made anew under its name is drained beside its successor: both are one series.
    const key = `${namespace}/${pod}/${container}`;
    const own = all.has(key) || all.size < most;
    const series = seriesOf(all, own ? key : '', own ? { namespace, pod, container } : OTHERS);
    series.bytes += one.behindBytes;
    series.seconds = Math.max(series.seconds, one.behindSeconds);
    series.deletion = Math.min(series.deletion, one.deletionSeconds ?? Infinity);
  }
  containers.set(count);
  containersHeld.set(held);
  filesOpen.set(open);
  for (const gauge of [behindBytes, behindSeconds, deletionSeconds]) gauge.reset();
  for (const { labels, bytes, seconds, deletion } of all.values()) {
    behindBytes.set(labels, bytes);
    behindSeconds.set(labels, seconds);
    if (deletion !== Infinity) deletionSeconds.set(labels, deletion);
  }
}

function seriesOf(all: Map<string, Series>, key: string, labels: typeof OTHERS): Series {
  let series = all.get(key);
  if (series === undefined) all.set(key, (series = { labels, bytes: 0, seconds: 0, deletion: Infinity }));
  return series;
}
