/** What the IDs of the traces begin with that agents write to try the whole path: see docs/canary.md. */
export const canaryPrefix = 'frostbeat-canary-';

/** Whether a trace is an agent's own: lists of traces leave these out. */
export function isCanary(traceId: string): boolean {
  return traceId.startsWith(canaryPrefix);
}
