import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { RunningAgent } from './agent-process.ts';
import { Patience } from './patience.ts';
import { until } from './until.ts';

/** The agent is asked so often, in milliseconds. */
const ASK_MS = 100;

/**
 * The time that the machine gives to an agent, as the torture run measures it: a promise such as «opened within a
 * second» cannot hold on a machine that gives it no processor for that second.
 */
export class AgentTime {
  readonly #patience = new Patience();
  readonly #agent: () => RunningAgent | undefined;

  /** @param agent the one that runs now, if any; it is asked until the test is finished. */
  constructor(agent: () => RunningAgent | undefined) {
    this.#agent = agent;
    const end = new AbortController();
    const asking = this.#ask(end.signal);
    onTestFinished(async () => {
      end.abort();
      await asking;
    });
  }

  /** The agent has ended, or another one has begun: what comes now is another's time. */
  restart(): void {
    this.#patience.restart(performance.now());
  }

  /** Waits until one agent has had so much time from now on, in milliseconds; that is no less of any clock. */
  async pass(ms: number): Promise<void> {
    const since = performance.now();
    await until(() => this.#patience.hadSince(since) >= ms, {
      timeoutMs: 60_000,
      what: `an agent that had ${ms} ms`,
    });
  }

  async #ask(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const agent = this.#agent();
      const asked = performance.now();
      const answer = await agent?.metric('pods');
      if (answer !== undefined && agent === this.#agent()) this.#patience.answered(asked);
      await sleep(ASK_MS);
    }
  }
}
