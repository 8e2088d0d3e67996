import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { TortureOptions } from './options.ts';
import type { StoreName } from './stores/torture-store.ts';

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill();
});

/**
 * Tortures several stores, each in a process of its own and so many at a time as the options say; each line of theirs
 * begins with the store's name. Says at the end which of them failed, and with which seed.
 *
 * @param args what the torture was called with.
 * @returns true if all passed.
 */
export async function sideBySide(args: readonly string[], options: TortureOptions): Promise<boolean> {
  const { stores, seed, atOnce } = options;
  const waiting = [...stores];
  const failed: StoreName[] = [];
  const lane = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const how = await tortureOf(name, [...args, '--store', name, '--seed', String(seed)]);
      if (how === 'exit code 0') continue;
      failed.push(name);
      process.stdout.write(`${name} | FAILED with ${how}, seed ${seed}\n`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  const verdict = failed.length === 0 ? 'none' : failed.join(', ');
  process.stdout.write(`\n${stores.length} stores, seed ${seed}; FAILED: ${verdict}\n`);
  return failed.length === 0;
}

/** How the torture of one store ends: `exit code 0` where nothing was wrong. */
async function tortureOf(name: StoreName, args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [`${import.meta.dirname}/torture.ts`, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => process.stdout.write(`${name} | ${line}\n`));
  }
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  running.delete(child);
  return code === null ? `signal ${signal}` : `exit code ${code}`;
}
