import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/** What a process took from its start to its end. */
export interface Usage {
  /** User and system time of all its threads. */
  readonly cpuSeconds: number;
  /** Most resident memory. */
  readonly peakBytes: number;
}

export interface MeasuredOptions {
  /** Script and arguments. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** An empty directory for what it says and what it took. */
  readonly directory: string;
}

/** Flags of Node that every measured process runs with: those of the image (Dockerfile), or BENCH_NODE_FLAGS. */
export const nodeFlags: readonly string[] = (
  process.env['BENCH_NODE_FLAGS'] ??
  '--max-semi-space-size=8 --initial-old-space-size=64 --single-threaded --expose-gc'
)
  .split(' ')
  .filter(Boolean);

/** Its environment: that of the image, too. */
const imageEnvironment = { NODE_ENV: 'production', MALLOC_ARENA_MAX: '1' };

const preloaded = new URL('./usage.mjs', import.meta.url).href;
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A Node process, the agent or a bare loop, whose CPU time and memory are measured. */
export class MeasuredProcess {
  readonly #child: ChildProcess;
  readonly #usagePath: string;
  readonly #logPath: string;
  readonly #exited: Promise<unknown[]>;

  constructor({ args, env = {}, directory }: MeasuredOptions) {
    this.#usagePath = `${directory}/usage.json`;
    this.#logPath = `${directory}/said.log`;
    rmSync(this.#usagePath, { force: true });
    const log = openSync(this.#logPath, 'w');
    this.#child = spawn(process.execPath, [...nodeFlags, '--import', preloaded, ...args], {
      env: { PATH: process.env['PATH'], ...imageEnvironment, BENCH_USAGE: this.#usagePath, ...env },
      stdio: ['ignore', log, log],
    });
    running.add(this.#child);
    this.#exited = once(this.#child, 'exit');
    this.#child.once('exit', () => running.delete(this.#child));
  }

  /** CPU time so far, in seconds. */
  get cpuSeconds(): number {
    // Nanoseconds on a processor, of each thread (Documentation/scheduler/sched-stats.rst).
    const tasks = `/proc/${this.#child.pid}/task`;
    return readdirSync(tasks).reduce((sum, task) => {
      const [nanoseconds] = readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ');
      return sum + Number(nanoseconds) / 1e9;
    }, 0);
  }

  /** Resident memory now, in bytes. */
  get residentBytes(): number {
    return this.#status('VmRSS');
  }

  /** Most resident memory since the start or the last `forgetPeak()`, in bytes. */
  get peakBytes(): number {
    return this.#status('VmHWM');
  }

  forgetPeak(): void {
    writeFileSync(`/proc/${this.#child.pid}/clear_refs`, '5');
  }

  /** The end of what it said. */
  get said(): string {
    return readFileSync(this.#logPath, 'utf8').slice(-2_000);
  }

  /** @throws Error when it has failed. */
  assertNoFailure(): void {
    const { exitCode, signalCode } = this.#child;
    if ((exitCode ?? 0) !== 0 || signalCode !== null) {
      throw new Error(`Cannot measure: the process ended. ${this.said}`);
    }
  }

  /** Asks it to end and waits. */
  async stop(): Promise<Usage> {
    this.#child.kill('SIGTERM');
    return await this.ended();
  }

  /** @throws Error unless it ends with exit code 0. */
  async ended(): Promise<Usage> {
    const [code, signal] = await this.#exited;
    if (code !== 0) throw new Error(`Cannot measure: exit code ${String(code ?? signal)}. ${this.said}`);
    return JSON.parse(readFileSync(this.#usagePath, 'utf8')) as Usage;
  }

  #status(field: string): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
    return Number(kibibytes) * 1024;
  }
}
