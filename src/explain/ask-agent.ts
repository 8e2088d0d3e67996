import type { Status } from '../ops/status.ts';

const LIMIT_MS = 5_000;

/**
 * What the agent on this node tells of itself.
 *
 * @returns why it cannot be asked, where it cannot.
 */
export async function askAgent(port: number, signal: AbortSignal): Promise<Status | string> {
  if (port === 0) return 'HTTP_PORT is 0';
  const url = `http://127.0.0.1:${port}/status.json`;
  try {
    const answer = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]) });
    const status = (await answer.json()) as Partial<Status>;
    if (answer.ok && status.version === 1) return status as Status;
    return `what answers at ${url} is no agent of this version`;
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    return `no agent answers at ${url} (${code})`;
  }
}
