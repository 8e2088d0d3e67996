import { runAgent } from '../agent.ts';
import type { Config } from '../config/config.ts';
import { nearMisses } from '../config/near-miss.ts';
import { createLog } from '../ops/log.ts';
import { addProcessMetrics, createMetrics } from '../ops/metrics.ts';
import { ConfigError } from '../util/config-error.ts';
import type { Context } from './context.ts';
import { explainError } from './mistakes.ts';
import { version } from './version.ts';

/** `frostbeat agent`: collects until the signal aborts. Returns 0 then, 1 where it failed before. */
export async function agentCommand(config: Config, { env, stderr, signal }: Context): Promise<number> {
  const log = await createLog({ level: config.logLevel, pretty: stderr.isTTY === true });
  const metrics = createMetrics();
  addProcessMetrics(metrics);
  metrics.buildInfo.set({ version: version(), node_version: process.versions.node }, 1);
  for (const warning of nearMisses(env)) log.warn(warning);
  const { namespaces, selector } = config;
  log.info({ version: version(), namespaces: namespaces ?? '*', selector }, 'Frostbeat starts.');
  try {
    await runAgent({ config, log, metrics, signal });
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    log.fatal({ err: error }, explainError(error));
    return 1;
  }
  return 0;
}
