import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig } from '../config/load-config.ts';
import { AgentProcess, type Exit } from '../demo/agent-process.ts';
import { wallClock } from '../demo/clock.ts';
import { compareTrace, isSame } from '../demo/compare-trace.ts';
import { Random } from '../demo/random.ts';
import { Screen } from '../demo/screen.ts';
import { Shop } from '../demo/shop/shop.ts';
import { runTraffic } from '../demo/shop/traffic.ts';
import type { WrittenTrace } from '../demo/written-traces.ts';
import { createLog } from '../ops/log.ts';
import { serveTraces, type TraceServer } from '../serve/serve-traces.ts';
import { selectTraceReader } from '../trace/select-reader.ts';
import { ConfigError } from '../util/config-error.ts';
import { pause } from '../util/pause.ts';
import type { Context } from './context.ts';
import type { DemoOptions } from './demo-flags.ts';
import { makeDemoPlace, ownCommand, typedCommand, type DemoPlace } from './demo-place.ts';
import { DemoStore } from './demo-store.ts';
import { headline, nextSteps, progress, verdict, written } from './demo-words.ts';

const busyRate = 14;
const gentleRate = 1;
/** Small files, so that the kubelet's rotation is to be seen within seconds. */
const rotateBytes = 20_000;

/**
 * `frostbeat demo`: a simulated node and the real agent, shown to a person.
 *
 * @returns the exit code: 0 where every record was found as it was written or the demo was stopped, 1 otherwise.
 */
export async function demoCommand(options: DemoOptions, context: Context): Promise<number> {
  const screen = new Screen(context.stdout, context.env);
  screen.say(screen.paint('bold', 'Frostbeat demo'));
  const place = await makeDemoPlace(context.env);
  const { config, mistakes } = loadConfig({
    env: { ...context.env, ...place.settings },
    cwd: context.cwd,
    checks: { node: true, stateDir: true },
  });
  if (config === undefined) throw new ConfigError(mistakes);
  const reader = await selectTraceReader(place.store.kind, config, { livesOn: true });
  // Whoever asked for one look only has no use for a page that ends with it.
  const ends = options.once || options.forMs !== undefined;
  const log = await createLog({ level: 'silent', pretty: false });
  const access = { onlyLocal: true };
  const page = ends
    ? undefined
    : await serveTraces({ reader, host: 'localhost', port: 0, access, log, graceMs: config.traceGraceMs });
  return new Demo(options, context, { screen, place, store: new DemoStore(reader), page }).run();
}

/** Which part of the show is on; it sets the pace of the traffic. */
type Act = 'waiting' | 'busy' | 'gentle' | 'over';

class Demo {
  readonly #options: DemoOptions;
  readonly #context: Context;
  readonly #screen: Screen;
  readonly #place: DemoPlace;
  readonly #shop: Shop;
  readonly #agent: AgentProcess;
  readonly #store: DemoStore;
  readonly #page: TraceServer | undefined;
  readonly #startedAt = performance.now();
  #act: Act = 'waiting';

  constructor(
    options: DemoOptions,
    context: Context,
    parts: { screen: Screen; place: DemoPlace; store: DemoStore; page: TraceServer | undefined },
  ) {
    const { screen, place, store, page } = parts;
    this.#options = options;
    this.#page = page;
    this.#context = context;
    this.#screen = screen;
    this.#place = place;
    this.#shop = new Shop({
      podLogDir: place.podLogDir,
      namespace: 'demo-system',
      random: new Random(options.seed ?? Date.now()),
      clock: wallClock(),
    });
    this.#agent = new AgentProcess({
      command: [...ownCommand(), 'agent'],
      env: { ...context.env, ...place.settings },
      logPath: place.agentLog,
      port: place.httpPort,
    });
    this.#store = store;
  }

  async run(): Promise<number> {
    const { signal } = this.#context;
    const over = new AbortController();
    const traffic = runTraffic(this.#shop, {
      requestsPerSecond: () => ({ waiting: 0, busy: busyRate, gentle: gentleRate, over: 0 })[this.#act],
      rotateBytes,
      signal: AbortSignal.any([signal, over.signal]),
    });
    const end = async () => {
      over.abort();
      await Promise.allSettled([traffic]);
      this.#shop.end();
      const latest = this.#shop.traces.ended().slice(-20);
      // A courtesy to who looks at the store afterwards: it is no reason to fail.
      if (this.#agent.exit === undefined) {
        await Promise.allSettled([this.#untilStored(latest, AbortSignal.timeout(2_000))]);
      }
      await this.#page?.close();
      await this.#store.close();
      return this.#agent.exit ?? (await this.#agent.stop());
    };
    try {
      const ok = await Promise.race([this.#show(), neverUnlessItFails(traffic)]);
      const exit = await end();
      await this.#farewell(exit);
      // Asked to stop while it was only starting, it dies of the signal: as asked, too.
      const asAsked =
        exit.code === 0 || (this.#interrupted && ['SIGTERM', 'SIGINT'].includes(exit.signal ?? ''));
      return ok && asAsked ? 0 : 1;
    } catch (error) {
      await end();
      throw error;
    }
  }

  /** @returns whether all was well; an interruption is. */
  async #show(): Promise<boolean> {
    const { once, forMs } = this.#options;
    this.#screen.say(
      headline(this.#screen, this.#place, { pods: this.#shop.pods.length, pid: this.#agent.pid }),
    );
    if (!(await this.#untilReady())) return this.#interrupted || this.#sayAgentEnded();

    this.#act = 'busy';
    const busyUntil = performance.now() + (forMs ?? 5_000);
    const seenEnough = () =>
      performance.now() >= busyUntil &&
      (forMs !== undefined || (this.#failed() !== undefined && this.#shop.counts.rotations >= 3));
    await this.#wait(seenEnough, { mostMs: (forMs ?? 0) + 30_000 });
    const ends = once || forMs !== undefined;
    this.#act = ends ? 'over' : 'gentle';
    if (ends) this.#shop.advance({ everything: true });
    if (this.#interrupted) return true;

    const traces = this.#shop.traces.ended();
    const chosen = this.#failed() ?? traces.at(-1);
    if (chosen === undefined) return this.#sayAgentEnded();
    const differing = await this.#untilStored(
      traces,
      AbortSignal.any([this.#context.signal, AbortSignal.timeout(20_000)]),
    );
    if (this.#interrupted) return true;
    if (this.#agent.exit !== undefined) return this.#sayAgentEnded();
    this.#screen.say();
    this.#screen.say(this.#screen.paint('bold', `One whole trace: ${chosen.title}`));
    await this.#store.print(chosen.traceId, this.#context.stdout, {
      color: this.#screen.colour,
      signal: this.#context.signal,
    });
    const { rotations } = this.#shop.counts;
    this.#screen.say(verdict(this.#screen, { chosen, traces, differing, rotations }));
    const others = traces.filter(({ traceId }) => traceId !== chosen.traceId);
    const another = others.findLast(({ failed }) => failed) ?? others.at(-1);
    const command = typedCommand(this.#context.cwd);
    const next = { command, another: another ?? chosen, failed: chosen, pagePort: this.#page?.port };
    this.#screen.say(nextSteps(this.#screen, this.#place, next));
    if (!ends) await this.#wait(() => false, { mostMs: Number.POSITIVE_INFINITY });
    if (this.#agent.exit !== undefined && !this.#interrupted) return this.#sayAgentEnded();
    return differing.length === 0;
  }

  get #interrupted(): boolean {
    return this.#context.signal.aborted;
  }

  #failed(): WrittenTrace | undefined {
    return this.#shop.traces.ended().findLast(({ failed }) => failed);
  }

  /** Waits for the agent to be ready; says why it takes so long where it does. */
  async #untilReady(): Promise<boolean> {
    let said = '';
    while (!this.#interrupted && this.#agent.exit === undefined) {
      const { ready, says } = await this.#agent.readiness();
      if (ready) return true;
      const late = performance.now() - this.#startedAt > 4_000;
      if (late && says !== said)
        this.#screen.say(`The agent is not ready yet: ${says || 'it does not answer'}`);
      if (late) said = says;
      if (late && this.#options.once && performance.now() - this.#startedAt > 30_000) return false;
      await pause(100, this.#context.signal);
    }
    return false;
  }

  /** Waits, showing progress, until the condition holds; ends early at an interruption or the agent's death. */
  async #wait(condition: () => boolean, { mostMs }: { mostMs: number }): Promise<void> {
    const end = performance.now() + mostMs;
    while (!condition() && !this.#interrupted && this.#agent.exit === undefined && performance.now() < end) {
      await this.#showProgress();
      await pause(200, this.#context.signal);
    }
  }

  async #showProgress(): Promise<void> {
    const [stored, skipped] = await Promise.all([
      this.#agent.metric('frostbeat_lines_delivered_total'),
      this.#agent.metric('frostbeat_lines_skipped_total'),
    ]);
    const seconds = Math.round((performance.now() - this.#startedAt) / 1_000);
    this.#screen.progress(
      progress({ seconds, counts: this.#shop.counts, stored, skipped }),
      this.#act === 'gentle' ? 60_000 : 2_000,
    );
  }

  /** Waits until the store holds the traces as they were written. @returns those that differ when time is up. */
  async #untilStored(traces: readonly WrittenTrace[], signal: AbortSignal): Promise<WrittenTrace[]> {
    let differing = [...traces];
    for (;;) {
      differing = await this.#differing(differing);
      if (differing.length === 0 || signal.aborted || this.#agent.exit !== undefined) return differing;
      await this.#showProgress();
      await pause(200, signal);
    }
  }

  /** Those of the traces that the store does not hold as they were written. */
  async #differing(traces: readonly WrittenTrace[]): Promise<WrittenTrace[]> {
    const found: WrittenTrace[] = [];
    for (const trace of traces) {
      const stored = await this.#store.read(trace.traceId, AbortSignal.timeout(10_000));
      if (!isSame(compareTrace(trace, stored))) found.push(trace);
    }
    return found;
  }

  async #sayAgentEnded(): Promise<false> {
    const why = this.#agent.exit?.text ?? 'it is not ready';
    const words = await this.#agent.lastWords(10);
    this.#screen.say(`${this.#screen.paint('red', `The agent cannot go on: ${why}.`)} It said:\n${words}`);
    return false;
  }

  async #farewell({ text }: Exit): Promise<void> {
    const { directory, store, settings } = this.#place;
    const until =
      store.kind === 'file' ? 'until you remove it' : `while the keys live in etcd (TTL ${settings['TTL']})`;
    this.#screen.say();
    this.#screen.say(`Stopped: the agent ended with ${text}. ${written(this.#shop.counts)}.`);
    this.#screen.say(
      `Kept: ${directory} (${await sizeOf(directory)}). \`trace\` goes on working ${until}: rm -r ${directory}`,
    );
  }
}

/** A promise that rejects when the other does, and is good for nothing else. */
async function neverUnlessItFails(promise: Promise<void>): Promise<never> {
  await promise;
  return new Promise(() => {});
}

async function sizeOf(directory: string): Promise<string> {
  const names = await readdir(directory, { recursive: true });
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(directory, name))).size));
  return `${(sizes.reduce((sum, size) => sum + size, 0) / 1e6).toFixed(1)} MB`;
}
