import type { Config } from '../config/config.ts';
import { loadApiAccess } from '../pods/api-access.ts';
import { createApiClient } from '../pods/api-request.ts';
import { checkApi, checkClock } from './api.ts';
import { checkLogDirectory, checkStateDirectory } from './directories.ts';
import { checkCanary } from './canary.ts';
import { checkEtcd } from './etcd.ts';
import { type Api, fail, type Finding, messageOf } from './finding.ts';
import { checkKubelet } from './kubelet.ts';
import { checkLimits } from './limits.ts';
import { checkNodeReports } from './node-reports.ts';
import { checkRunningAgent } from './running-agent.ts';
import { checkSymlinks } from './symlinks.ts';
import { checkWriters } from './writers.ts';

export interface DoctorOptions {
  readonly config: Config;
  readonly signal: AbortSignal;
  readonly procDir?: string;
  readonly kubeletConfigPath?: string;
}

/** Longest time that one check may take. */
const LIMIT_MS = 10_000;

/** Looks after all that usually goes wrong on a node, side by side. The findings are in the order of a line's way. */
export async function examine(options: DoctorOptions): Promise<Finding[]> {
  const { config, signal, procDir = '/proc', kubeletConfigPath = '/var/lib/kubelet/config.yaml' } = options;
  const api = config.podSource === 'kubernetes' ? await reachApi() : undefined;
  const checks = {
    agent: checkRunningAgent,
    'Kubernetes API': checkApi,
    POD_LOG_DIR: checkLogDirectory,
    symlinks: checkSymlinks,
    'log rotation': checkKubelet,
    limits: checkLimits,
    STATE_DIR: checkStateDirectory,
    etcd: checkEtcd,
    WRITERS: checkWriters,
    reports: checkNodeReports,
    canary: checkCanary,
    clock: checkClock,
  };
  const findings = await Promise.all(
    Object.entries(checks).map(async ([what, check]) => {
      const context = {
        config,
        api,
        procDir,
        kubeletConfigPath,
        signal: AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]),
      };
      try {
        return await check(context);
      } catch (error) {
        return [
          fail(
            what,
            messageOf(error),
            'It could not be looked after: is it there, and may this user see it?',
          ),
        ];
      }
    }),
  );
  return findings.flat();
}

async function reachApi(): Promise<Api> {
  try {
    const access = await loadApiAccess();
    return { client: createApiClient(access, 'frostbeat-doctor'), server: access.server };
  } catch (error) {
    return { trouble: messageOf(error) };
  }
}
