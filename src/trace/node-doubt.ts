import { humanSeconds } from '../util/human.ts';
import type { KnownNode } from './known-node.ts';
import type { LostPart, NodeDoubt } from './trace-state.ts';
import { nanoOf, timeOf } from './unix-time.ts';

/** An agent that was told to stop is expected back within so long: an update of the DaemonSet takes that. */
const RESTART_MS = 60_000;

/** @returns undefined where the node has stored all that it held up to the time that is needed. */
export function nodeDoubt(
  { node, report, live, untold }: KnownNode,
  { needed, nowMs }: { needed: bigint; nowMs: number },
): NodeDoubt | undefined {
  if (report === undefined) {
    const text = untold
      ? `${node} has stored records and tells nothing of itself: its agent is not allowed to, is of a version before watermarks, or is gone for so long that its last word is no longer kept`
      : `how far ${node} is cannot be read: its report is refused, or of a later version`;
    return { node, why: untold ? 'untold' : 'unreadable', watermark: null, waits: false, text };
  }
  const { watermark, stopped, containers, published } = report;
  // It has stored all that it had, and nothing is left on it to write more.
  if (!live && stopped && containers === 0) return undefined;
  if (watermark !== null && nanoOf(watermark) >= needed) return undefined;
  const doubt = (why: NodeDoubt['why'], text: string): NodeDoubt => ({
    node,
    why,
    watermark,
    waits: why !== 'silent',
    text: `${node} ${text}`,
  });
  const upTo = watermark === null ? '' : `: it has stored everything up to ${timeOf(nanoOf(watermark))}`;
  if (live) {
    if (watermark === null) return doubt('starting', 'has just started, and has not said how far it is');
    return doubt('behind', `is not past ${timeOf(needed)} yet${upTo}`);
  }
  const ago = humanSeconds(Math.max(0, nowMs - Date.parse(published)) / 1_000);
  if (stopped && nowMs - Date.parse(published) < RESTART_MS) {
    return doubt('restarting', `was stopped ${ago} ago, as for an update`);
  }
  const said = stopped ? `was stopped ${ago} ago, and has not come back` : `has been silent for ${ago}`;
  return doubt('silent', `${said}${upTo || ', and never said how far it was'}`);
}

/** Whether a node that somebody said is gone may have held lines of a span of time that are not stored. */
export function isGivenUp(
  known: KnownNode,
  { from, needed, seen }: { from: bigint; needed: bigint; seen: ReadonlySet<string> | undefined },
): boolean {
  const { node, report } = known;
  if (report?.forgotten === undefined) return false;
  if (lostParts(known, { from, to: needed }).length > 0 || mayHaveOlderGaps(report, from)) return true;
  const { watermark, published } = report;
  if (watermark !== null && nanoOf(watermark) >= needed) return false;
  return seen?.has(node) === true || nanoOf(published) >= from;
}

/** The gaps of a node that may hold lines of a span of time. */
export function lostParts(
  { node, report }: KnownNode,
  { from, to }: { from: bigint; to: bigint },
): LostPart[] {
  return (report?.gaps ?? [])
    .filter(({ start, end }) => nanoOf(end) >= from && (start === null || nanoOf(start) <= to))
    .map((gap) => ({ node, ...gap }));
}

/** Of the gaps that a report has no room for it is known that they are older than those that it tells of. */
export function mayHaveOlderGaps(report: KnownNode['report'], from: bigint): boolean {
  if (report === undefined || report.gapsLeftOut === 0) return false;
  const oldest = report.gaps.at(-1);
  return oldest === undefined || Date.parse(oldest.end) >= Number(from / 1_000_000n);
}
