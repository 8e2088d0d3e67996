import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

export interface AgentProcessOptions {
  /** The command line, its first word the program. */
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Gets all that the agent says. */
  readonly logPath: string;
  /** Where the agent serves HTTP. */
  readonly port: number;
}

/** How a process ended: `exit code 1`, `signal SIGKILL`. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly text: string;
}

/** The agent as a process of its own, as on a node. */
export class AgentProcess {
  readonly #options: AgentProcessOptions;
  readonly #child: ChildProcess;
  readonly #exited: Promise<Exit>;
  #exit: Exit | undefined;

  constructor(options: AgentProcessOptions) {
    this.#options = options;
    const [program, ...args] = options.command;
    const log = openSync(options.logPath, 'a');
    this.#child = spawn(program, args, { env: options.env, stdio: ['ignore', log, log] });
    closeSync(log);
    this.#exited = this.#waitForExit();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** How it ended, undefined while it runs. */
  get exit(): Exit | undefined {
    return this.#exit;
  }

  /** Whether it is ready to work, and if not what it says is missing. */
  async readiness(): Promise<{ ready: boolean; says: string }> {
    const response = await this.#get('/readyz');
    return { ready: response?.ok === true, says: (await response?.text())?.trim() ?? '' };
  }

  /** The sum of a metric over its labels; undefined where the agent does not serve it (yet). */
  async metric(name: string): Promise<number | undefined> {
    const text = await (await this.#get('/metrics'))?.text();
    const values = [...(text ?? '').matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))];
    return values.length === 0 ? undefined : values.reduce((sum, [, value]) => sum + Number(value), 0);
  }

  /** The last lines that it has said. */
  async lastWords(lines: number): Promise<string> {
    return (await readFile(this.#options.logPath, 'utf8')).trimEnd().split('\n').slice(-lines).join('\n');
  }

  /** Ends it as the kubelet would: SIGTERM, and SIGKILL after `graceMs`. */
  async stop(graceMs = 30_000): Promise<Exit> {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    const exit = await this.#exited;
    clearTimeout(timer);
    return exit;
  }

  async #waitForExit(): Promise<Exit> {
    // Should this process end in a hurry, the other is not left behind.
    const kill = () => this.#child.kill('SIGKILL');
    process.once('exit', kill);
    try {
      const [code, signal] = (await once(this.#child, 'exit')) as [number | null, NodeJS.Signals | null];
      this.#exit = { code, signal, text: code === null ? `signal ${signal}` : `exit code ${code}` };
    } catch (error) {
      this.#exit = { code: null, signal: null, text: `no start: ${String(error)}` };
    }
    process.removeListener('exit', kill);
    return this.#exit;
  }

  /** Undefined while it does not listen. */
  async #get(path: string): Promise<Response | undefined> {
    try {
      return await fetch(`http://127.0.0.1:${this.#options.port}${path}`, {
        signal: AbortSignal.timeout(2_000),
      });
    } catch {
      return undefined;
    }
  }
}
