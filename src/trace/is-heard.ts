import type { NodeReport } from '../writers/node-report.ts';

/** Whether an agent that tells of itself in a file is heard: it has not stopped, and its word is not older than it said. */
export function isHeard(
  { stopped, published, leaseSeconds }: Pick<NodeReport, 'stopped' | 'published' | 'leaseSeconds'>,
  nowMs: number,
): boolean {
  return !stopped && nowMs - Date.parse(published) < leaseSeconds * 1_000;
}
