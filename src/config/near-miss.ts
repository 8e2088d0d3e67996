import type { Texts } from './load-config.ts';
import { settings } from './settings.ts';

/**
 * Environment variables that are ours but for underscores, case or a prefix `FROSTBEAT_` (BATCHSIZE, batch_size),
 * where the real one is not set. Nothing looser: other variables may be close by chance.
 */
export function nearMisses(env: Texts): string[] {
  const byShape = new Map(Object.values(settings).map(({ variable }) => [shape(variable), variable]));
  return Object.keys(env).flatMap((name) => {
    const meant = byShape.get(shape(name));
    if (meant === undefined || meant === name || env[meant] !== undefined) return [];
    return [`${name} is set and means nothing: the setting is called ${meant}, and is not set`];
  });
}

function shape(name: string): string {
  return name
    .toUpperCase()
    .replace(/^FROSTBEAT_/, '')
    .replaceAll('_', '');
}
