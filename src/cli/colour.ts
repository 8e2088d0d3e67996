import type { Context } from './context.ts';

/** Whether colours are shown: on a terminal, unless NO_COLOR forbids it (https://no-color.org). */
export function hasColor({ stdout, env }: Pick<Context, 'stdout' | 'env'>): boolean {
  return stdout.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
}
