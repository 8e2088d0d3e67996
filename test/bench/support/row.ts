/** One line of the published table. */
export interface Row {
  readonly benchmark: string;
  /** What was measured of the agent, with its unit. */
  readonly agent: string;
  /** The same of the bare loop, where there is one. */
  readonly against: string;
  /** What counts: a ratio or an absolute figure; the median of the rounds. */
  readonly result: number;
  readonly unit: string;
  /** Least and most of the rounds: how noisy the machine was. */
  readonly spread: readonly [number, number];
  /** Undefined where nothing is to be reached: shown to be seen beside another row. */
  readonly target: { readonly atLeast: number } | { readonly atMost: number } | undefined;
  /** CPU time of the agent in seconds and its most resident memory in bytes; medians. */
  readonly cpuSeconds: number;
  readonly peakBytes: number;
  /** Everything that was measured, round by round. */
  readonly rounds: readonly object[];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function spread(values: readonly number[]): [number, number] {
  return [Math.min(...values), Math.max(...values)];
}

/** @param fraction 0 to 1. */
export function percentile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? NaN;
}

function isReached({ result, target }: Row): boolean {
  if (target === undefined) return true;
  return 'atLeast' in target ? result >= target.atLeast : result <= target.atMost;
}

/** The rows as a Markdown table. */
export function toMarkdown(rows: readonly Row[]): string {
  const head = ['Benchmark', 'Agent', 'Against', 'Result', 'Least–most', 'To reach', 'CPU', 'Peak memory'];
  const lines = rows.map((row) => [
    row.benchmark,
    row.agent,
    row.against,
    `${number(row.result)}${row.unit}${isReached(row) ? '' : ' (not reached)'}`,
    row.spread.map(number).join('–'),
    toReach(row),
    `${row.cpuSeconds.toFixed(2)} s`,
    megabytes(row.peakBytes),
  ]);
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function toReach({ target, unit }: Row): string {
  if (target === undefined) return '';
  return 'atLeast' in target ? `≥ ${target.atLeast}${unit}` : `≤ ${target.atMost}${unit}`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function number(value: number): string {
  return value.toFixed(Math.abs(value) < 10 ? 2 : 0);
}
