import type { Verdict } from '../ops/health.ts';
import { type Check, fail, type Finding, messageOf, ok, skip } from './finding.ts';

/** Whether an agent runs on this node, and what it says of itself. */
export const checkRunningAgent: Check = async ({ config: { httpPort }, signal }) => {
  const what = 'agent';
  if (httpPort === 0) return [skip(what, 'HTTP_PORT is 0: an agent that runs cannot be asked')];
  const ask = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${httpPort}${path}`, {
      headers: { accept: 'application/json' },
      signal,
    });
    return (await answer.json()) as Verdict;
  };
  let ready: Verdict;
  let live: Verdict;
  try {
    [ready, live] = await Promise.all([ask('/readyz'), ask('/healthz')]);
  } catch (error) {
    const why = messageOf(error instanceof Error && error.cause !== undefined ? error.cause : error);
    return [
      skip(
        what,
        `none answers on port ${httpPort} (${why})`,
        'Run doctor in the agent’s pod: kubectl exec <pod> -- /nodejs/bin/node /app/dist/main.js doctor.',
      ),
    ];
  }
  const findings: Finding[] = [
    ...live.reasons.map(({ part, reason }) =>
      fail(what, `stuck: ${part}: ${reason}`, 'The kubelet restarts it; nothing is lost.'),
    ),
    ...ready.reasons.map(({ part, reason }) =>
      fail(what, `not ready: ${part}: ${reason}`, 'What is found below may say why.'),
    ),
  ];
  return findings.length > 0 ? findings : [ok(what, `runs on port ${httpPort}, and is ready`)];
};
