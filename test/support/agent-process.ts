import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { freePorts } from './free-ports.ts';
import { until } from './until.ts';

/** A line of the agent's own log; what is no JSON has the level `none`. */
export interface AgentLogLine {
  readonly level: string;
  readonly msg: string;
  readonly [member: string]: unknown;
}

/** The account of lines at one scrape. */
export interface ScrapedLedger {
  readonly read: number;
  readonly delivered: number;
  readonly skipped: number;
  readonly deadLettered: number;
  readonly inFlight: number;
}

export interface AgentExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** From the signal that asked for it to the exit, in milliseconds. */
  readonly afterMs: number;
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * Starts the built agent as a node does: with these environment variables and nothing else. It is killed when the
 * test ends. While it runs its account of lines is looked at several times a second, and must add up each time.
 */
export async function startAgent(
  env: Readonly<Record<string, string>>,
  options: AgentProcessOptions = {},
): Promise<RunningAgent> {
  const [port] = await freePorts(1);
  const agent = new RunningAgent({ HTTP_PORT: String(port), ...env }, options);
  onTestFinished(async () => {
    await agent.kill();
    expect(agent.imbalances).toEqual([]);
  });
  return agent;
}

export interface AgentProcessOptions {
  readonly cwd?: string;
  /** How many it may have open; the tests' own limit unless told otherwise. */
  readonly descriptors?: number;
}

/** The agent as a process of its own, and what can be seen of it from outside. */
export class RunningAgent {
  readonly log: AgentLogLine[] = [];
  /** Scrapes at which the account did not add up. */
  readonly imbalances: string[] = [];
  scrapes = 0;
  /** Where it serves HTTP. */
  readonly base: string;
  readonly #child: ChildProcess;
  readonly #closed: Promise<[number | null, NodeJS.Signals | null]>;
  #exit: { code: number | null; signal: NodeJS.Signals | null } | undefined;
  #rest = '';

  constructor(env: Readonly<Record<string, string>>, { cwd, descriptors }: AgentProcessOptions = {}) {
    const limited = descriptors === undefined ? [] : ['prlimit', `--nofile=${descriptors}`];
    const args = [...limited, process.execPath, join(root, 'dist/main.js'), 'agent'];
    // Through setpriv, where there is one (Linux), the kernel ends the agent even when the test is killed.
    const setpriv = '/usr/bin/setpriv';
    const [command, all] = existsSync(setpriv)
      ? [setpriv, ['--pdeathsig', 'KILL', ...args]]
      : [args[0]!, args.slice(1)];
    this.base = `http://127.0.0.1:${env['HTTP_PORT']}`;
    const child = spawn(command, all, { env, stdio: ['ignore', 'ignore', 'pipe'], ...(cwd && { cwd }) });
    this.#child = child;
    running.add(child);
    child.stderr.setEncoding('utf8').on('data', (text: string) => this.#said(text));
    this.#closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
    void this.#end();
    void this.#watchLedger();
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }
  get ended(): boolean {
    return this.#exit !== undefined;
  }

  /** Lines that tell of something amiss. */
  get complaints(): string[] {
    return this.log
      .filter(({ level }) => !['trace', 'debug', 'info'].includes(level))
      .map(({ level, msg, gap }) => `${level}: ${msg}${gap === undefined ? '' : ` ${JSON.stringify(gap)}`}`);
  }

  /** The line that it says when it has stopped as asked. */
  get stopped(): AgentLogLine | undefined {
    return this.log.find(({ msg }) => msg === 'Stopped.');
  }

  /** Waits until /readyz says so. */
  async ready(timeoutMs = 20_000): Promise<void> {
    const says = async () => {
      if (this.ended) throw new Error(`Cannot wait for the agent: it has ended. ${this.lastWords}`);
      return (await this.readiness()).ok;
    };
    await until(says, { timeoutMs, what: 'an agent that is ready' }).catch(async (cause: unknown) => {
      const { text } = await this.readiness();
      throw new Error(`Cannot see the agent ready: ${text}. ${this.lastWords}`, { cause });
    });
  }

  async readiness(): Promise<{ ok: boolean; status: number; text: string }> {
    const response = await this.#get('/readyz');
    return {
      ok: response?.ok ?? false,
      status: response?.status ?? 0,
      text: (await response?.text()) ?? 'no answer',
    };
  }

  /** The sum of a metric over its labels, undefined where there is none; its name without `frostbeat_`. */
  async metric(name: string): Promise<number | undefined> {
    return sumOf(await this.#scrape(), name);
  }

  async ledger(): Promise<ScrapedLedger | undefined> {
    return ledgerOf(await this.#scrape());
  }

  /** What its descriptors lead to. */
  descriptors(): string[] {
    const directory = `/proc/${this.pid}/fd`;
    return readdirSync(directory).flatMap((fd) => {
      try {
        return readlinkSync(join(directory, fd));
      } catch {
        return []; // Closed since the directory was listed.
      }
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** As the kubelet stops it; resolves when it has ended. What it says last must be its account, which adds up. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<AgentExit> {
    const begun = performance.now();
    this.signal(signal);
    const [code, by] = await this.#closed;
    if (code === 0) {
      const account = this.log.at(-1) as unknown as Account;
      if (account.msg !== 'Stopped.' || imbalanceOf(account) !== 0)
        throw new Error(`Cannot see an account that adds up at the end: ${JSON.stringify(account)}`);
    }
    return { code, signal: by, afterMs: performance.now() - begun };
  }

  /** As a crash ends it. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.#closed;
  }

  /** Resolves when it has ended by itself. */
  async exit(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    const [code, signal] = await this.#closed;
    return { code, signal };
  }

  /** All that it said, as text. */
  get text(): string {
    return this.log.map((line) => (line.level === 'none' ? line.msg : JSON.stringify(line))).join('\n');
  }
  get lastWords(): string {
    return this.text.slice(-2_000);
  }

  async #end(): Promise<void> {
    const [code, signal] = await this.#closed;
    running.delete(this.#child);
    if (this.#rest !== '') this.#said('\n');
    this.#exit = { code, signal };
  }

  #said(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.log.push(parseLine(line));
  }

  async #watchLedger(): Promise<void> {
    while (!this.ended) {
      const ledger = await this.ledger();
      if (ledger !== undefined) {
        this.scrapes += 1;
        const { read, delivered, skipped, deadLettered, inFlight } = ledger;
        if (read !== delivered + skipped + deadLettered + inFlight)
          this.imbalances.push(JSON.stringify(ledger));
      }
      await Promise.race([this.#closed, new Promise((resolve) => setTimeout(resolve, 250).unref())]);
    }
  }

  async #scrape(): Promise<string> {
    return (await (await this.#get('/metrics'))?.text().catch(() => '')) ?? '';
  }

  /** Undefined while it does not listen. */
  async #get(path: string): Promise<Response | undefined> {
    try {
      return await fetch(`${this.base}${path}`, { signal: AbortSignal.timeout(5_000) });
    } catch {
      return undefined;
    }
  }
}

interface Account extends AgentLogLine {
  readonly lines: number;
  readonly delivered: number;
  readonly deadLettered: number;
  readonly inFlight: number;
  readonly skipped: Readonly<Record<string, number>>;
}

function imbalanceOf({ lines, delivered, deadLettered, inFlight, skipped }: Account): number {
  const skips = Object.values(skipped).reduce((sum, count) => sum + count, 0);
  return lines - delivered - deadLettered - inFlight - skips;
}

function ledgerOf(text: string): ScrapedLedger | undefined {
  const read = sumOf(text, 'lines_read_total');
  if (read === undefined) return undefined;
  return {
    read,
    delivered: sumOf(text, 'lines_delivered_total') ?? 0,
    skipped: sumOf(text, 'lines_skipped_total') ?? 0,
    deadLettered: sumOf(text, 'lines_dead_lettered_total') ?? 0,
    inFlight: sumOf(text, 'lines_in_flight') ?? 0,
  };
}

function sumOf(text: string, name: string): number | undefined {
  const values = [...text.matchAll(new RegExp(`^frostbeat_${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))];
  return values.length === 0 ? undefined : values.reduce((sum, [, value]) => sum + Number(value), 0);
}

function parseLine(line: string): AgentLogLine {
  try {
    const value = JSON.parse(line) as Partial<AgentLogLine> | null;
    if (typeof value?.level === 'string') return { ...value, level: value.level, msg: value.msg ?? '' };
  } catch {
    // Told below.
  }
  return { level: 'none', msg: line };
}
