import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** A run of the command line as a process of its own, from the sources. Nothing of our environment reaches it. */
export function frostbeat(args: readonly string[], { env = {}, cwd }: RunOptions = {}) {
  const main = new URL('../../src/main.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [main, ...args], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (output.stderr += text));
  const closed = once(child, 'close') as Promise<[code: number | null, signal: NodeJS.Signals | null]>;
  return {
    child,
    /** What it has said so far. */
    output,
    /** Resolves when it has ended and all it said is here. */
    async ended() {
      const [code, signal] = await closed;
      return { code, signal, ...output };
    },
  };
}
