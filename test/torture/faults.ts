import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Random } from '../../src/demo/random.ts';
import { OFFSETS_FILE } from '../../src/offsets/offsets-file.ts';
import { pause } from '../../src/util/pause.ts';
import type { Fault, KubeApi } from '../support/kube-api/kube-api.ts';
import type { AgentUnderTest } from './agent-under-test.ts';
import type { Fairness } from './fairness.ts';
import type { Journal } from './journal.ts';
import type { Breakable } from './stores/torture-store.ts';

export interface FaultsOptions {
  readonly agent: AgentUnderTest;
  /** Without a server nothing befalls it. */
  readonly store: { readonly name: string; readonly server: Breakable | undefined };
  readonly api: KubeApi;
  readonly stateDir: string;
  readonly fairness: Fairness;
  readonly random: Random;
  readonly journal: Journal;
  /** Mean time between two ends of the agent, in milliseconds; the store's come half as often, the API's eight times as often. */
  readonly killEveryMs: number;
}

/** How long SIGTERM may take before it counts as ignored. */
const GRACE_MS = 20_000;

const apiFaults: readonly Fault[] = [
  { kind: 'hang' },
  { kind: 'slow', ms: 1_500 },
  { kind: 'drop' },
  { kind: 'cut' },
  { kind: 'silent' },
  { kind: 'refuse', status: 403 },
  { kind: 'refuse', status: 410 },
  { kind: 'refuse', status: 429, retryAfterSeconds: 1 },
  { kind: 'refuse', status: 500 },
  { kind: 'refuse', status: 503 },
];

/** What befalls the agent, its store, its API server and its state, at random. */
export class Faults {
  readonly counts = new Map<string, number>();
  /** What the agent did wrong when it was ended. */
  readonly complaints: string[] = [];
  readonly #options: FaultsOptions;

  constructor(options: FaultsOptions) {
    this.#options = options;
  }

  get total(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Until the signal aborts; then everything works again. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#onAgent(signal), this.#onStore(signal), this.#onApi(signal)]);
  }

  async #onAgent(signal: AbortSignal): Promise<void> {
    const { agent, fairness, random, killEveryMs } = this.#options;
    while (!signal.aborted) {
      await pause(this.#about(killEveryMs), signal);
      if (signal.aborted) return;
      if (agent.exit !== undefined) this.complaints.push(`The agent ended by itself: ${agent.exit.text}`);
      if (random.chance(0.6)) {
        this.#count('agent: kill -9');
        fairness.agentEnded();
        await agent.kill();
      } else {
        this.#count('agent: SIGTERM');
        fairness.agentEnded();
        const wrong = await agent.stop(GRACE_MS);
        if (wrong !== undefined) this.complaints.push(wrong);
      }
      if (random.chance(0.15)) await this.#spoilState();
      await pause(
        random.chance(0.5) ? random.int(0, 200) : random.int(0, random.pick([2_000, 6_000])),
        signal,
      );
      this.#options.journal.note('agent: started');
      fairness.agentStarted();
      agent.restart();
    }
  }

  async #spoilState(): Promise<void> {
    const { stateDir, fairness, random } = this.#options;
    const path = join(stateDir, OFFSETS_FILE);
    const size = await readFile(path).then(
      ({ length }) => length,
      () => 0,
    );
    if (size === 0) return;
    fairness.stateLost();
    const how = random.pick(['truncated', 'empty', 'garbage', 'missing'] as const);
    this.#count(`state: ${how}`);
    if (how === 'truncated') await truncate(path, random.int(1, size - 1));
    if (how === 'empty') await truncate(path, 0);
    if (how === 'garbage') await writeFile(path, Buffer.from(random.hex(200), 'hex'));
    if (how === 'missing') await rm(path);
  }

  async #onStore(signal: AbortSignal): Promise<void> {
    const { random, killEveryMs } = this.#options;
    const { name, server } = this.#options.store;
    if (server === undefined) return;
    while (!signal.aborted) {
      await pause(this.#about(killEveryMs * 2), signal);
      if (signal.aborted) return;
      if (random.chance(0.6)) {
        this.#count(`${name}: stopped for a while`);
        server.freeze();
        await pause(random.int(100, random.pick([500, 2_000, 7_000])), signal);
        server.thaw();
      } else {
        this.#count(`${name}: killed and restarted`);
        await server.kill();
        await pause(random.int(0, random.pick([500, 3_000])), signal);
        await restarted(server);
      }
      this.#options.journal.note(`${name}: healed`);
    }
  }

  async #onApi(signal: AbortSignal): Promise<void> {
    const { api, fairness, random, killEveryMs } = this.#options;
    while (!signal.aborted) {
      await pause(this.#about(killEveryMs / 8), signal);
      if (signal.aborted) return;
      fairness.apiBroken();
      const moment = random.int(0, 4);
      if (moment === 0) this.#once('api: connections dropped', () => api.dropConnections());
      if (moment === 1) this.#once('api: watches ended', () => api.endWatches());
      if (moment === 2) this.#once('api: watches expired (410)', () => api.expireWatches());
      if (moment === 3) {
        this.#once('api: history compacted', () => {
          api.compact();
          api.endWatches();
        });
      }
      if (moment === 4) {
        const fault = random.pick(apiFaults);
        const status = fault.kind === 'refuse' ? ` ${fault.status}` : '';
        this.#count(`api: ${fault.kind}${status}`);
        api.break(fault);
        if (fault.kind === 'silent') api.silenceWatches();
        else if (random.chance(0.7)) api.dropConnections();
        await pause(random.int(200, random.pick([1_000, 5_000])), signal);
        api.heal();
        // Nothing else would tell a client of a watch that it is dead.
        if (fault.kind === 'silent') api.dropConnections();
      }
      this.#options.journal.note('api: healed');
      fairness.apiHealed();
    }
  }

  /** A random time with this mean; short ones are the most frequent. */
  #about(mean: number): number {
    return -Math.log(1 - this.#options.random.next()) * mean;
  }

  #once(what: string, act: () => void): void {
    this.#count(what);
    act();
  }

  #count(what: string): void {
    this.#options.journal.note(what);
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }
}

/** On a busy machine a start may take longer than the server's helper waits. @throws when the third failed. */
async function restarted(server: Breakable): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await server.restart();
      return;
    } catch (error) {
      if (attempt === 3) throw error;
    }
  }
}
