import { hostname } from 'node:os';
import { RetryAfterError } from '../writers/log-writer.ts';
import type { NodeReports } from '../writers/node-reports.ts';
import { selectNodeReports } from '../writers/select-node-reports.ts';
import { type Check, type CheckContext, fail, type Finding, messageOf, ok, skip } from './finding.ts';

/** Whether the agent may tell beside the records how far this node is: what the state of a trace rests on. */
export const checkNodeReports: Check = async (context) => {
  const destinations = await selectNodeReports(context.config);
  return await Promise.all(destinations.map(async (reports) => await checkOne(reports, context)));
};

async function checkOne(reports: NodeReports, { config, signal }: CheckContext): Promise<Finding> {
  const what = `reports to ${reports.name}`;
  try {
    const untold = await reports.check(config.nodeName === '' ? hostname() : config.nodeName, signal);
    return untold === undefined ? ok(what, 'how far this node is may be told') : skip(what, untold);
  } catch (error) {
    // A store that does not answer is told of by the writer's check.
    if (reports.name === 'etcd' && !(error instanceof RetryAfterError)) return skip(what, messageOf(error));
    return fail(
      what,
      messageOf(error),
      'Records are stored without it, but no trace of this node is called complete.',
    );
  } finally {
    await reports.close?.();
  }
}
