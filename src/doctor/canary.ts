import { followable, type Readable, selectTraceReader } from '../trace/select-reader.ts';
import { type Check, type CheckContext, fail, type Finding, messageOf, ok, warn } from './finding.ts';

const what = 'canary';

/** Where canaries are written, whether they can be read back. */
export const checkCanary: Check = async (context) => {
  const { writers, canaryIntervalMs } = context.config;
  if (canaryIntervalMs === 0) return [];
  const asked = followable.filter((name) => writers.includes(name));
  const others = writers.filter((name) => !asked.some((one) => one === name));
  const findings = await Promise.all(asked.map(async (name) => await checkOne(name, context)));
  if (others.length === 0) return findings;
  const found = `cannot be read back from ${others.join(', ')}: nothing is measured there`;
  return [...findings, warn(what, found, `It can be from ${followable.join(', ')}.`)];
};

async function checkOne(name: Readable, { config, signal }: CheckContext): Promise<Finding> {
  const reader = await selectTraceReader(name, config);
  try {
    await reader.now(signal);
    return ok(what, `can be read back from ${name}`);
  } catch (error) {
    return fail(
      what,
      `cannot be read back from ${name}: ${messageOf(error)}`,
      'Until it can every canary is lost. Records are stored all the same.',
    );
  } finally {
    await reader.close();
  }
}
