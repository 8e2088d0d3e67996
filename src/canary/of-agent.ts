import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import type { Log } from '../ops/log.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { ContainerTail } from '../tail/container-tail.ts';
import { followable, selectTraceReader } from '../trace/select-reader.ts';
import { pause } from '../util/pause.ts';
import { steadyNow } from '../util/steady-now.ts';
import { Canary } from './canary.ts';
import { CanaryLog } from './canary-log.ts';
import { canaryTail, type CanaryTailOptions } from './canary-tail.ts';
import type { Clock } from './clock.ts';
import { Lookout } from './lookout.ts';

export interface CanaryOfAgentOptions extends Omit<
  CanaryTailOptions,
  'config' | 'node' | 'directory' | 'log' | 'metrics'
> {
  readonly config: Config;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface AgentsCanary extends Pick<Canary, 'lookouts'> {
  readonly tail: ContainerTail;
  /** Until the signal aborts; never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

const clock: Clock = { wall: () => Date.now(), steady: steadyNow, pause };

/**
 * The canary of an agent: one lookout for each destination that can be followed; says which cannot. Undefined where
 * all cannot.
 */
export async function canaryOfAgent(options: CanaryOfAgentOptions): Promise<AgentsCanary | undefined> {
  const { config, log, metrics, ...rest } = options;
  const { canaryIntervalMs: intervalMs, canaryTimeoutMs: timeoutMs, nodeName } = config;
  const node = nodeName === '' ? hostname() : nodeName;
  const canaryLog = new CanaryLog(join(config.stateDir, 'canary'));
  const asked = followable.filter((name) => config.writers.includes(name));
  const others = config.writers.filter((name) => !asked.some((one) => one === name));
  if (others.length > 0) {
    log.warn(
      { destinations: others },
      `The canary cannot be read back from ${others.join(', ')}: nothing is measured there (it can be from ${followable.join(', ')}).`,
    );
  }
  if (asked.length === 0) return undefined;
  const lookouts = await Promise.all(
    asked.map(async (name) => {
      const reader = await selectTraceReader(name, config);
      return new Lookout({ name, reader, timeoutMs, clock, log, metrics });
    }),
  );
  const canary = new Canary({ node, intervalMs, timeoutMs, log: canaryLog, lookouts, clock });
  // Its records say of which node they are as all others do: a name that only they had would be another node's.
  const tail = canaryTail({
    ...rest,
    config,
    node: nodeName,
    directory: canaryLog.directory,
    log,
    metrics,
  });
  return {
    lookouts,
    tail,
    run: async (signal) => {
      await Promise.all([canary.run(signal), tail.run(signal)]);
    },
  };
}
