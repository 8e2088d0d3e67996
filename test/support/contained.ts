import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** A process as a container runs it: number 1 of its own, root, with at most one capability. */
export interface Contained {
  /** All that it has written so far. */
  readonly output: string;
  /** The exit code. */
  readonly ended: Promise<number | null>;
  /** Its sets of capabilities as the kernel writes them, without leading zeros: `4` is DAC_READ_SEARCH alone. */
  capabilities(): Promise<Record<'inherited' | 'effective' | 'bounding', string | undefined>>;
  /** Sends SIGTERM to it, and not to what started it. */
  terminate(): Promise<number | null>;
  kill(): void;
}

/** @throws where this machine cannot: not root, no Linux, or no util-linux. */
export async function findContainment(): Promise<true> {
  if (process.getuid?.() !== 0) throw new Error('Cannot start a contained process: only root may');
  for (const command of ['unshare', 'setpriv']) {
    await promisify(execFile)(command, ['--version']).catch((cause: unknown) => {
      throw new Error(`Cannot start a contained process: there is no ${command} (util-linux)`, { cause });
    });
  }
  return true;
}

/** Starts Node with these arguments, and with these environment variables and no others. */
export function startContained(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  { capability = true }: { readonly capability?: boolean } = {},
): Contained {
  const kept = capability ? '-all,+dac_read_search' : '-all';
  const child = spawn(
    '/usr/bin/unshare',
    ['--pid', '--fork', '--kill-child', '--', 'setpriv', '--no-new-privs', `--bounding-set=${kept}`]
      .concat(['--inh-caps=-all', '--', process.execPath])
      .concat(args),
    { env: { ...env, PATH: '/usr/bin:/bin' }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => void (output += text));
  }
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const inside = async () => {
    const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
    return Number(children.trim());
  };
  return {
    get output() {
      return output;
    },
    ended,
    async capabilities() {
      const status = await readFile(`/proc/${await inside()}/status`, 'utf8');
      const set = (name: string) => new RegExp(`^${name}:\\s*0*(\\w+)$`, 'm').exec(status)?.[1];
      return { inherited: set('CapInh'), effective: set('CapEff'), bounding: set('CapBnd') };
    },
    async terminate() {
      process.kill(await inside(), 'SIGTERM');
      return await ended;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
