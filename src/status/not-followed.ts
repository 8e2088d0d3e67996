import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import type { NotFollowed } from '../ops/status.ts';
import type { PodTarget } from '../pods/targets.ts';

export interface NotFollowedOptions {
  readonly config: Pick<Config, 'podLogDir' | 'namespaces' | 'selector' | 'podSource'>;
  readonly parse: (podLogDir: string, name: string) => PodTarget | undefined;
  /** What is known of the pod of a directory; undefined where it is not looked into. */
  readonly pod: (directory: string) => KnownPod | undefined;
}

interface KnownPod {
  readonly held: boolean;
  whyNot(container: string): 'annotation' | 'settings' | undefined;
}

/** The directories under POD_LOG_DIR that are not followed, and why; empty where it cannot be listed. */
export async function notFollowed({ config, parse, pod }: NotFollowedOptions): Promise<NotFollowed[]> {
  const { podLogDir } = config;
  const found: NotFollowed[] = [];
  for (const name of await directories(podLogDir)) {
    const target = parse(podLogDir, name);
    const known = target && pod(target.directory);
    if (known === undefined) {
      found.push({ directory: name, why: whyNot(target, config) });
      continue;
    }
    for (const container of await directories(join(podLogDir, name))) {
      const why = known.whyNot(container);
      if (why !== undefined) found.push({ directory: `${name}/${container}`, why: EXCLUDED[why] });
    }
  }
  return found;
}

const EXCLUDED = {
  annotation: "The pod's annotation frostbeat.io/exclude names it.",
  settings: "The agent's settings exclude containers of this name.",
};

/** Why a pod is not followed, going by the name of its directory. */
function whyNot(
  target: Pick<PodTarget, 'namespace'> | undefined,
  { namespaces, selector, podSource }: Pick<Config, 'namespaces' | 'selector' | 'podSource'>,
): string {
  if (target === undefined)
    return 'Its name is not of the form <namespace>_<pod>_<uid>, which the kubelet gives.';
  if (namespaces !== undefined && !namespaces.includes(target.namespace)) {
    return `NAMESPACE is ${namespaces.join(',')}: its namespace is ${target.namespace}.`;
  }
  if (podSource === 'directory') return 'It has not been listed yet.';
  const selected = selector === '' ? '' : `SELECTOR is ${selector}: the pod's labels do not match. Or `;
  return `${selected}${selected === '' ? 'T' : 't'}he pod opts out (annotation frostbeat.io/exclude), or is gone already.`;
}

async function directories(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    return [];
  }
}
