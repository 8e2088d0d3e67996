import { canaryPrefix } from '../trace/canary-trace.ts';
import type { CanaryLog } from './canary-log.ts';
import type { Clock } from './clock.ts';
import type { Lookout } from './lookout.ts';

export interface CanaryOptions {
  readonly node: string;
  /** From one canary to the next, and how long one is waited for; in milliseconds. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly log: Pick<CanaryLog, 'append' | 'close'>;
  readonly lookouts: readonly Lookout[];
  readonly clock: Clock;
}

/** Clients that cannot say goodbye do not hold up the agent's end for longer than so many milliseconds. */
const CLOSING_MS = 1_000;

/**
 * Writes a line of its own now and then, and waits until it can be read back from each destination: one at a time, so
 * that in an outage one is lost for each timeout. Each is a trace; while some are lost, the next ones are lines of the
 * same trace, so that one look at each destination waits for all.
 */
export class Canary {
  readonly #options: CanaryOptions;
  #traceId = '';
  #lastMs = 0;

  constructor(options: CanaryOptions) {
    this.#options = options;
  }

  get lookouts(): readonly Lookout[] {
    return this.#options.lookouts;
  }

  /** Until the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, intervalMs, log, lookouts } = this.#options;
    while (!signal.aborted) {
      const begun = clock.steady();
      await this.#sendOne(signal);
      await clock.pause(Math.max(0, intervalMs - (clock.steady() - begun)), signal);
    }
    const enough = new AbortController();
    const closed = Promise.allSettled([log.close(), ...lookouts.map((lookout) => lookout.close())]);
    await Promise.race([closed, clock.pause(CLOSING_MS, enough.signal)]);
    enough.abort();
  }

  async #sendOne(signal: AbortSignal): Promise<void> {
    const { clock, log, lookouts, node, timeoutMs } = this.#options;
    const ms = (this.#lastMs = Math.max(this.#lastMs + 1, clock.wall()));
    const now = new Date(ms);
    if (lookouts.every(({ idle }) => idle)) {
      this.#traceId = `${canaryPrefix}${node}-${now.toISOString().replace(/[-:]/g, '')}`;
      await Promise.all(lookouts.map((lookout) => lookout.begin(this.#traceId, signal)));
      if (signal.aborted) return;
    }
    const unixNano = `${ms}000000`;
    const text = {
      time: now.toISOString(),
      traceId: this.#traceId,
      level: 'info',
      message: `A canary of ${node}, written to be read back`,
    };
    for (const lookout of lookouts) lookout.sent(unixNano);
    try {
      await log.append(JSON.stringify(text), now);
    } catch (err) {
      for (const lookout of lookouts) lookout.overdue(unixNano, err);
      return;
    }
    const enough = new AbortController();
    const back = Promise.all(lookouts.map((lookout) => lookout.back(unixNano)));
    await Promise.race([back, clock.pause(timeoutMs, AbortSignal.any([signal, enough.signal]))]);
    enough.abort();
    if (!signal.aborted) for (const lookout of lookouts) lookout.overdue(unixNano);
  }
}
