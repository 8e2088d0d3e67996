import { runAgent } from '../agent.ts';
import type { Config } from '../config/config.ts';
import { nearMisses } from '../config/near-miss.ts';
import { createLog } from '../ops/log.ts';
import { louder } from '../ops/louder.ts';
import { createMetrics } from '../ops/metrics.ts';
import { addProcessMetrics } from '../ops/process-metrics.ts';
import { Threshold } from '../ops/threshold.ts';
import { Troubles } from '../ops/troubles.ts';
import { ConfigError } from '../util/config-error.ts';
import type { Context } from './context.ts';
import { explainError } from './mistakes.ts';
import { version } from './version.ts';

/** `frostbeat agent`: collects until the signal aborts. Returns 0 then, 1 where it failed before. */
export async function agentCommand(config: Config, { env, stderr, signal }: Context): Promise<number> {
  const metrics = createMetrics();
  addProcessMetrics(metrics);
  metrics.buildInfo.set({ version: version(), node_version: process.versions.node }, 1);
  for (const level of ['warn', 'error', 'fatal']) metrics.logLines.inc({ level }, 0);
  const troubles = new Troubles();
  const threshold = new Threshold(config.logLevel);
  const log = await createLog({
    level: threshold,
    pretty: stderr.isTTY === true,
    onTrouble: (level, line) => {
      metrics.logLines.inc({ level });
      troubles.add(line);
    },
  });
  const tellMore = louder(log, threshold);
  process.on('SIGUSR1', tellMore);
  for (const warning of nearMisses(env)) log.warn(warning);
  const { namespaces, selector } = config;
  log.info({ version: version(), namespaces: namespaces ?? '*', selector }, 'Frostbeat starts.');
  try {
    await runAgent({ config, log, metrics, signal, troubles, version: version() });
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    log.fatal({ err: error }, explainError(error));
    return 1;
  } finally {
    process.removeListener('SIGUSR1', tellMore);
  }
  return 0;
}
