import { createMetrics } from '../../src/ops/metrics.ts';
import { addProcessMetrics } from '../../src/ops/process-metrics.ts';

/** The names of all series that an agent serves, and the labels that each has of its own. */
export async function servedSeries(): Promise<ReadonlyMap<string, readonly string[]>> {
  const metrics = createMetrics();
  addProcessMetrics(metrics);
  const series = new Map<string, readonly string[]>();
  for (const { name, type } of await metrics.registry.getMetricsAsJSON()) {
    const { labelNames } = metrics.registry.getSingleMetric(name) as unknown as { labelNames: string[] };
    if (String(type) !== 'histogram') series.set(name, labelNames);
    else {
      series.set(`${name}_bucket`, [...labelNames, 'le']);
      for (const suffix of ['_sum', '_count']) series.set(`${name}${suffix}`, labelNames);
    }
  }
  return series;
}

/** The names of series in a query of Prometheus. */
export function seriesIn(query: string): string[] {
  return query.match(/\b(frostbeat|process|nodejs)_\w+/g) ?? [];
}

/** The labels that a query selects or groups by. */
export function labelsIn(query: string): string[] {
  const groups = [...query.matchAll(/\b(?:by|on|without|ignoring) ?\(([^)]*)\)/g)].map(
    ([, inside]) => inside ?? '',
  );
  const matchers = [...query.matchAll(/\{([^}]*)\}/g)].map(([, inside]) => inside ?? '');
  return [
    ...groups.flatMap((list) => list.split(',').map((label) => label.trim())),
    ...matchers.flatMap((list) =>
      [...list.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label]) => label ?? ''),
    ),
  ];
}
