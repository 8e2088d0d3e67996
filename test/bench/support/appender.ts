import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Container, criLine } from './lines.ts';

const script = new URL('./append.mjs', import.meta.url).pathname;

export interface Appended {
  readonly written: number;
  /** How far it fell behind its rate at most, in milliseconds. */
  readonly behindMs: number;
}

/** Appends single lines to the containers' files, in turn, from a process of its own. Resolves at the end. */
export async function appendLines(
  containers: readonly Container[],
  { linesPerSecond, seconds, directory }: { linesPerSecond: number; seconds: number; directory: string },
): Promise<Appended> {
  const block = join(directory, 'lines');
  writeFileSync(block, Array.from({ length: 2_000 }, (_, index) => criLine(index + 10_000)).join(''));
  const files = containers.map(({ path }) => path);
  const child = spawn(process.execPath, [script, String(linesPerSecond), String(seconds), block, ...files], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit') as Promise<[number]>]);
  if (code !== 0) throw new Error(`Cannot append lines: exit code ${code}`);
  return JSON.parse(said) as Appended;
}
