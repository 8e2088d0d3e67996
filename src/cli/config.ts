import type { InForce, LoadedConfig } from '../config/load-config.ts';
import { nearMisses } from '../config/near-miss.ts';
import { groups } from '../config/setting.ts';
import { flagOf, settings } from '../config/settings.ts';
import type { Context } from './context.ts';
import { configurationMistakes } from './mistakes.ts';

/** `frostbeat config`: prints every setting and where it came from; 2 where there are mistakes, else 0. */
export function configCommand(
  { inForce, mistakes }: LoadedConfig,
  output: 'text' | 'json',
  { env, stdout, stderr }: Pick<Context, 'env' | 'stdout' | 'stderr'>,
): number {
  const warnings = nearMisses(env);
  stdout.write(output === 'json' ? asJson(inForce, mistakes, warnings) : asText(inForce));
  for (const warning of warnings) stderr.write(`frostbeat: warning: ${warning}\n`);
  if (mistakes.length === 0) return 0;
  stderr.write(configurationMistakes(mistakes));
  return 2;
}

function asJson(
  inForce: readonly InForce[],
  mistakes: readonly string[],
  warnings: readonly string[],
): string {
  const all = inForce.map((one) => ({ ...one, flag: flagOf(one.variable) }));
  return `${JSON.stringify({ settings: all, mistakes, warnings }, null, 2)}\n`;
}

function asText(inForce: readonly InForce[]): string {
  const names = wide(inForce.map(({ variable }) => variable));
  const values = wide(inForce.map(({ value }) => value).filter((value) => value.length <= 40));
  const line = ({ variable, value, source, wrong }: InForce): string =>
    `${`  ${variable.padEnd(names)}  ${value.padEnd(values)}  ${source === 'default' ? '' : source}`.trimEnd()}${wrong ? '  ← wrong' : ''}\n`;
  return groups
    .map((group) => {
      const members = new Set(
        Object.values(settings)
          .filter((one) => one.group === group)
          .map(({ variable }) => variable),
      );
      return `${group}\n${inForce
        .filter(({ variable }) => members.has(variable))
        .map(line)
        .join('')}`;
    })
    .join('\n');
}

function wide(cells: readonly string[]): number {
  return Math.max(...cells.map((cell) => cell.length));
}
