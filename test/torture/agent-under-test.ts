import { readFile } from 'node:fs/promises';
import { AgentProcess, type Exit } from '../../src/demo/agent-process.ts';

export interface AgentUnderTestOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly main: string;
  readonly logPath: string;
  readonly port: number;
}

/** What the agent says of itself at one moment. */
export interface Scrape {
  /** Lines read, less all whose fate is told: 0, or the account is wrong. */
  readonly imbalance: number;
  readonly inFlight: number;
  /** Bytes not read yet, by `namespace/pod/container`. */
  readonly behind: ReadonlyMap<string, number>;
  /** No batch waits to be stored. */
  readonly idle: boolean;
  readonly residentBytes: number;
  readonly delivered: number;
}

/** The agent as a process that is ended and started again and again. */
export class AgentUnderTest {
  readonly #options: AgentUnderTestOptions;
  #startedAt = 0;
  #process: AgentProcess;
  peakBytes = 0;

  constructor(options: AgentUnderTestOptions) {
    this.#options = options;
    this.#process = this.#start();
  }

  /** How it ended, undefined while it runs. */
  get exit(): Exit | undefined {
    return this.#process.exit;
  }

  restart(): void {
    this.#process = this.#start();
  }

  async kill(): Promise<void> {
    await this.#notePeak();
    const { pid } = this.#process;
    if (pid !== undefined && this.#process.exit === undefined) process.kill(pid, 'SIGKILL');
    await this.#process.stop(0);
  }

  /** SIGTERM, and after `graceMs` SIGKILL. Returns what is wrong with the way it ended. */
  async stop(graceMs: number): Promise<string | undefined> {
    await this.#notePeak();
    const { code, text } = await this.#process.stop(graceMs);
    // Before it has begun to listen to signals, SIGTERM ends a process as it ends any.
    const young = performance.now() - this.#startedAt < 3_000 && text === 'signal SIGTERM';
    return code === 0 || young ? undefined : `SIGTERM ended the agent with ${text}`;
  }

  /** Undefined while it does not answer. */
  async scrape(): Promise<Scrape | undefined> {
    await this.#notePeak();
    let text: string;
    try {
      const response = await fetch(`http://127.0.0.1:${this.#options.port}/metrics`, {
        signal: AbortSignal.timeout(2_000),
      });
      text = await response.text();
    } catch {
      return undefined; // It is starting, stopping, or too busy.
    }
    const sum = (name: string) =>
      [...text.matchAll(new RegExp(`^frostbeat_${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].reduce(
        (total, [, value]) => total + Number(value),
        0,
      );
    const behind = new Map<string, number>();
    for (const [, labels = '', bytes] of text.matchAll(/^frostbeat_behind_bytes\{([^}]*)\} (\S+)$/gm)) {
      const { namespace, pod, container } = Object.fromEntries(
        labels.split(',').map((label) => label.replaceAll('"', '').split('=')),
      ) as Record<string, string>;
      behind.set(`${namespace}/${pod}/${container}`, Number(bytes));
    }
    const inFlight = sum('lines_in_flight');
    const delivered = sum('lines_delivered_total');
    const settled = delivered + sum('lines_skipped_total') + sum('lines_dead_lettered_total');
    return {
      imbalance: sum('lines_read_total') - settled - inFlight,
      inFlight,
      behind,
      idle: sum('batches_waiting') === 0,
      residentBytes: sum('process_resident_memory_bytes'),
      delivered,
    };
  }

  /** Lines of its log in which it tells of something, parsed. */
  async said(): Promise<Record<string, unknown>[]> {
    const text = await readFile(this.#options.logPath, 'utf8');
    return text.split('\n').flatMap((line) => {
      try {
        return line === '' ? [] : [JSON.parse(line) as Record<string, unknown>];
      } catch {
        return [{ level: 60, msg: line }]; // What is no JSON is what a crash says.
      }
    });
  }

  #start(): AgentProcess {
    this.#startedAt = performance.now();
    const { main, env, logPath, port } = this.#options;
    return new AgentProcess({ command: [process.execPath, main, 'agent'], env, logPath, port });
  }

  async #notePeak(): Promise<void> {
    try {
      const status = await readFile(`/proc/${this.#process.pid}/status`, 'utf8');
      const kilobytes = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
      this.peakBytes = Math.max(this.peakBytes, kilobytes * 1024);
    } catch {
      return; // It has ended.
    }
  }
}
