import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** A process as a container runs it: number 1 of its own, root, with at most one capability, files read-only. */
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

export interface ContainedOptions {
  /** These environment variables and no others. */
  readonly env?: Readonly<Record<string, string>>;
  /** The only directory that it may write to. */
  readonly writable: string;
  /** Whether it has DAC_READ_SEARCH. */
  readonly capability?: boolean;
}

/** Starts Node with these arguments. */
export function startContained(
  args: readonly string[],
  { env = {}, writable, capability = true }: ContainedOptions,
): Contained {
  const kept = capability ? '-all,+dac_read_search' : '-all';
  // What is bound to itself first is a mount of its own, and stays as it is.
  const mounts = 'mount --bind "$0" "$0" && mount -o remount,bind,ro / && exec "$@"';
  const drop = ['setpriv', '--no-new-privs', `--bounding-set=${kept}`, '--inh-caps=-all', '--'];
  const child = spawn(
    '/usr/bin/unshare',
    ['--mount', '--pid', '--fork', '--kill-child', '--', 'sh', '-c', mounts, writable].concat(
      drop,
      process.execPath,
      args,
    ),
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
