import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../until.ts';

export interface ServerOptions {
  /** For messages and for the name of its directory: `kafka`. */
  readonly name: string;
  /** The command, given the server's empty directory of its own; asked anew at each start. */
  readonly command: (directory: string) => readonly [program: string, ...args: string[]];
  /** Its whole environment, beside PATH and HOME: it must see none of the test's. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it serves; a rejection is a no. */
  readonly ready: () => Promise<boolean>;
  /** The longest that a start may take, in milliseconds. Default 60,000. */
  readonly timeoutMs?: number;
}

/** A real server of the test's own. */
export interface TestServer extends AsyncDisposable {
  readonly directory: string;
  /** Undefined while it is stopped. */
  readonly pid: number | undefined;
  /** Ends it (SIGTERM) and waits; its directory stays for `restart()`. */
  stop(): Promise<void>;
  /** Ends it as a crash would (SIGKILL) and waits. */
  kill(): Promise<void>;
  /** It takes connections and answers nothing (SIGSTOP). */
  freeze(): void;
  /** Undoes `freeze()` (SIGCONT). */
  thaw(): void;
  /** Starts it again in the same directory and waits until it is ready; kills it first if it runs. */
  restart(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a server in an empty temporary directory and waits until it is ready. @throws with what it said last. */
export async function startServer(options: ServerOptions): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), `frostbeat-${options.name}-`));
  let child: ChildProcess | undefined;
  let said = '';
  const hear = (chunk: Buffer): void => void (said = (said + chunk.toString()).slice(-4_000));

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child === undefined) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    // A frozen process takes SIGTERM only when it goes on.
    child.kill('SIGCONT');
    await exit;
  };

  const start = async (): Promise<void> => {
    // Through setpriv, where there is one (Linux), the kernel ends the server even when the test is killed.
    const setpriv = '/usr/bin/setpriv';
    const underWatch = existsSync(setpriv) ? [setpriv, '--pdeathsig', 'KILL'] : [];
    const [program = '', ...args] = [...underWatch, ...options.command(directory)];
    const { PATH = '', HOME = '' } = process.env;
    const started = spawn(program, args, {
      cwd: directory,
      env: { PATH, HOME, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child = started;
    running.add(started);
    started.stdout.on('data', hear);
    started.stderr.on('data', hear);
    started.once('exit', () => {
      running.delete(started);
      if (child === started) child = undefined;
    });
    await once(started, 'spawn');
    const isReady = async (): Promise<boolean> => {
      if (child === undefined) throw new Error(`Cannot start ${options.name}: it ended. ${said}`);
      return await options.ready().catch(() => false);
    };
    await until(isReady, { timeoutMs: options.timeoutMs ?? 60_000, what: `a ready ${options.name}` }).catch(
      (cause: unknown) => {
        throw new Error(`Cannot start ${options.name}: it is not ready. ${said}`, { cause });
      },
    );
  };

  const dispose = async (): Promise<void> => {
    await end('SIGKILL');
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    directory,
    get pid() {
      return child?.pid;
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    async restart() {
      await end('SIGKILL');
      await start();
    },
    [Symbol.asyncDispose]: dispose,
  };
}
