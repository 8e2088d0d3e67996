import { join } from 'node:path';
import { keySegment } from './etcd-key.ts';
import { FilePattern } from './file-pattern.ts';

/** What an agent tells of its node, beside the logs: how far all that its containers wrote is stored. */
export interface NodeReport {
  readonly version: 1;
  /** NODE_NAME, or the host's name where that is empty. */
  readonly node: string;
  /** Version of the agent. */
  readonly agent: string;
  /** The destinations it writes to, all of which have what the watermark tells of; agents before 0.2 do not say. */
  readonly writers?: readonly string[];
  /** When the agent started. All times are RFC 3339, by the node's clock. */
  readonly since: string;
  readonly published: string;
  /** The agent counts as silent when it has published nothing for so long. */
  readonly leaseSeconds: number;
  /**
   * Every line of every selected container of this node that was in its file before is stored, or accounted for
   * (skipped, a dead letter, a gap); nine digits. Null while that is not known. Who wants to say that a trace is
   * complete reads the watermarks first, and the records after.
   */
  readonly watermark: string | null;
  /** How far the watermark was behind when this was published; null without one. */
  readonly lagSeconds: number | null;
  /** Containers that are there and selected, or may be: of pods that are not known yet. */
  readonly containers: number;
  /** The agent was told to stop, and has stored all that it had read; this is its last word. */
  readonly stopped: boolean;
  /**
   * When somebody said that the node is gone for good: then the rest is what its agent said last, but for `stopped` and
   * `containers`, which say that nothing is left on it.
   */
  readonly forgotten?: string;
  /** The latest first. */
  readonly gaps: readonly NodeGap[];
  /** So many older ones are not told here. */
  readonly gapsLeftOut: number;
}

/** A part of a log file that could not be read: what it held is lost. */
export interface NodeGap {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly file: string;
  /** Offset of the first byte that was not read, and the one behind the last; null where nobody knows. */
  readonly from: number;
  readonly to: number | null;
  /** The span of time that the lost lines may be of; without a start, since ever. */
  readonly start: string | null;
  readonly end: string;
  readonly reason: string;
}

/** Longest text of a report, in bytes, and most gaps in it. */
const MOST_BYTES = 32 * 1024;
const MOST_GAPS = 100;

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** Keys of the nodes whose agents are heard: under a short lease, which ends when the agent falls silent. */
export const nodesPrefix = 'frostbeat/nodes/';
/** Keys of the nodes that may have stored something that is still there: what their agents said last. */
export const knownNodesPrefix = 'frostbeat/known-nodes/';

export function nodeKey(node: string): string {
  return `${nodesPrefix}${keySegment(node)}`;
}

export function knownNodeKey(node: string): string {
  return `${knownNodesPrefix}${keySegment(node)}`;
}

/** Where the reports lie beside the output of the writer `file`, one a node, whatever the node and the day. */
export function nodeReportsDirectory(filePath: string): string {
  const { base, segments } = new FilePattern(filePath);
  return join(base, `${segments.join('-')}.nodes`);
}

export function nodeReportPath(filePath: string, node: string): string {
  return join(nodeReportsDirectory(filePath), `${keySegment(node)}.json`);
}

/** What the names of the reports in a bucket begin with. @param prefix what those of all objects begin with. */
export function nodeObjectsPrefix(prefix: string): string {
  return `${prefix}nodes/`;
}

export function nodeObject(prefix: string, node: string): string {
  return `${nodeObjectsPrefix(prefix)}${keySegment(node)}.json.gz`;
}

/** What is told of a node of which nothing is known, and on which nothing is left: it keeps no trace waiting. */
export function emptyNodeReport(node: string, now: Date): NodeReport {
  return {
    version: 1,
    node,
    agent: 'unknown',
    since: now.toISOString(),
    published: now.toISOString(),
    leaseSeconds: 0,
    watermark: null,
    lagSeconds: null,
    containers: 0,
    stopped: true,
    gaps: [],
    gapsLeftOut: 0,
  };
}

/** The JSON of a report: of too many gaps the oldest are left out, and counted. */
export function encodeNodeReport(report: NodeReport): string {
  let gaps = report.gaps.slice(0, MOST_GAPS);
  for (;;) {
    const gapsLeftOut = report.gapsLeftOut + report.gaps.length - gaps.length;
    const text = JSON.stringify({ ...report, gaps, gapsLeftOut });
    if (gaps.length === 0 || Buffer.byteLength(text) <= MOST_BYTES) return text;
    gaps = gaps.slice(0, gaps.length >> 1);
  }
}

/** @returns undefined where the text is no report, or one of a later version: it must not be taken for good news. */
export function parseNodeReport(text: string): NodeReport | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isReport(value) ? value : undefined;
}

function isReport(value: unknown): value is NodeReport {
  const report = value as NodeReport | null;
  return (
    typeof report === 'object' &&
    report !== null &&
    report.version === 1 &&
    typeof report.node === 'string' &&
    typeof report.agent === 'string' &&
    (report.writers === undefined || isTexts(report.writers)) &&
    isTime(report.since) &&
    isTime(report.published) &&
    isCount(report.leaseSeconds) &&
    (report.watermark === null || isTime(report.watermark)) &&
    (report.lagSeconds === null || typeof report.lagSeconds === 'number') &&
    isCount(report.containers) &&
    typeof report.stopped === 'boolean' &&
    (report.forgotten === undefined || isTime(report.forgotten)) &&
    isCount(report.gapsLeftOut) &&
    Array.isArray(report.gaps) &&
    report.gaps.every(isGap)
  );
}

function isGap(value: unknown): value is NodeGap {
  const gap = value as NodeGap | null;
  return (
    typeof gap === 'object' &&
    gap !== null &&
    [gap.namespace, gap.pod, gap.container, gap.file, gap.reason].every((text) => typeof text === 'string') &&
    isCount(gap.from) &&
    (gap.to === null || isCount(gap.to)) &&
    (gap.start === null || isTime(gap.start)) &&
    isTime(gap.end)
  );
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

/** `Date.parse` alone takes far more than RFC 3339. */
function isTime(value: unknown): value is string {
  return typeof value === 'string' && RFC_3339.test(value) && !Number.isNaN(Date.parse(value));
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0;
}
