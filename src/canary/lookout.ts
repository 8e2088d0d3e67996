import type { Log } from '../ops/log.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { TraceReader } from '../trace/trace-reader.ts';
import { formatDuration } from '../util/duration.ts';
import { orAborted } from '../util/or-aborted.ts';
import type { Clock } from './clock.ts';

export interface LookoutOptions {
  /** The destination, as it is named in WRITERS. */
  readonly name: string;
  readonly reader: Pick<TraceReader, 'now' | 'read' | 'follow' | 'close'>;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<Metrics, `canaries${'Sent' | 'Received' | 'Lost' | 'Late'}` | 'canarySeconds'>;
}

/** A canary that has not come back. */
interface Out {
  readonly sentAt: number;
  lost: boolean;
  /** Later ones that came back meanwhile. */
  passed: number;
}

/** The destination is asked for so long, in milliseconds, what is stored before a canary is written. */
const MARK_MS = 5_000;
/** Pause after a failure to read, in milliseconds. */
const AGAIN_MS = 1_000;
/** Batches overtake each other by a few; one that so many have overtaken is not waited for any more. */
const MOST_PASSED = 10;
/** So many lost ones are waited for; of more, the oldest are given up. */
const MOST_OUT = 1_000;

/**
 * Waits at one destination for the canaries of a trace to be stored, reading as `frostbeat trace --follow` does. A
 * canary is known by its time, which no other has. What is lost is waited for still: should it come, it was late.
 */
export class Lookout {
  readonly #options: LookoutOptions;
  readonly #labels: { readonly destination: string };
  /** By time in nanoseconds, in the order of sending. */
  readonly #out = new Map<string, Out>();
  #following: { readonly end: AbortController; readonly done: Promise<void> } | undefined;
  #arrival = Promise.withResolvers<void>();
  /** Why the destination could not be read last. */
  #trouble: unknown;
  /** Since when, by the steady clock, and how many; while they do not come back. */
  #losing: { readonly since: number; count: number } | undefined;
  readonly counts = { sent: 0, received: 0, lost: 0, late: 0 };
  /** When one last came back in time, in milliseconds since 1970, and how long it took. */
  last: { readonly at: number; readonly seconds: number } | undefined;

  constructor(options: LookoutOptions) {
    this.#options = options;
    const { name: destination, metrics } = options;
    this.#labels = { destination };
    const { canariesSent, canariesReceived, canariesLost, canariesLate } = metrics;
    for (const counter of [canariesSent, canariesReceived, canariesLost, canariesLate])
      counter.inc(this.#labels, 0);
  }

  get name(): string {
    return this.#options.name;
  }

  /** Whether canaries do not come back at present. */
  get losing(): boolean {
    return this.#losing !== undefined;
  }

  /** Whether everything that was sent has come back or is given up: another trace may begin. */
  get idle(): boolean {
    return this.#out.size === 0;
  }

  /** Looks out for another trace; to be called before anything of it is written. Never rejects. */
  async begin(traceId: string, signal: AbortSignal): Promise<void> {
    this.#end();
    // Without a mark all of the trace is read when the destination answers.
    const mark = await this.#mark(signal).catch((error: unknown) => this.#failed(error));
    const end = new AbortController();
    const done = this.#follow(traceId, mark, AbortSignal.any([signal, end.signal]));
    this.#following = { end, done };
  }

  /** A canary is about to be written. @param unixNano its time. */
  sent(unixNano: string): void {
    this.counts.sent += 1;
    this.#options.metrics.canariesSent.inc(this.#labels);
    this.#out.set(unixNano, { sentAt: this.#options.clock.steady(), lost: false, passed: 0 });
    const [oldest] = this.#out.keys();
    if (this.#out.size > MOST_OUT && oldest !== undefined) this.#out.delete(oldest);
  }

  /** Resolves when the canary has come back; never, where it does not. */
  async back(unixNano: string): Promise<void> {
    while (this.#out.has(unixNano)) await this.#arrival.promise;
  }

  /** A canary that is not back by now is lost. @param err why it was not even written, where it was not. */
  overdue(unixNano: string, err?: unknown): void {
    const out = this.#out.get(unixNano);
    if (out === undefined) return;
    out.lost = true;
    if (err !== undefined) this.#out.delete(unixNano);
    this.counts.lost += 1;
    this.#options.metrics.canariesLost.inc(this.#labels);
    this.#tellLost(err ?? this.#trouble);
  }

  async close(): Promise<void> {
    const done = this.#following?.done;
    this.#end();
    await done;
    await this.#options.reader.close();
  }

  /** What is still out is forgotten. */
  #end(): void {
    this.#following?.end.abort(new Error('no longer looked out for'));
    this.#following = undefined;
    this.#out.clear();
  }

  async #mark(signal: AbortSignal): Promise<string> {
    const enough = AbortSignal.any([signal, AbortSignal.timeout(MARK_MS)]);
    return await orAborted(this.#options.reader.now(enough), enough);
  }

  /** Until the signal aborts; never rejects. */
  async #follow(traceId: string, begin: string | undefined, signal: AbortSignal): Promise<void> {
    const { reader, clock } = this.#options;
    let mark = begin;
    while (!signal.aborted) {
      try {
        if (mark === undefined) {
          const at = await this.#mark(signal);
          for await (const { unixNano } of reader.read(traceId, signal, { at })) this.#arrived(unixNano);
          mark = at;
        }
        for await (const followed of reader.follow(traceId, mark, signal)) {
          for (const { unixNano } of followed.records) this.#arrived(unixNano);
          ({ mark } = followed);
        }
      } catch (error) {
        if (!signal.aborted) this.#failed(error);
        await clock.pause(AGAIN_MS, signal);
      }
    }
  }

  #failed(error: unknown): undefined {
    this.#trouble = error;
  }

  #arrived(unixNano: string): void {
    const out = this.#out.get(unixNano);
    // One of an earlier run, or read for a second time.
    if (out === undefined) return;
    const { metrics, clock } = this.#options;
    this.#trouble = undefined;
    if (out.lost) {
      this.counts.late += 1;
      metrics.canariesLate.inc(this.#labels);
    } else {
      const seconds = (clock.steady() - out.sentAt) / 1_000;
      this.counts.received += 1;
      this.last = { at: clock.wall(), seconds };
      metrics.canariesReceived.inc(this.#labels);
      metrics.canarySeconds.observe(this.#labels, seconds);
      this.#tellBack();
    }
    for (const [key, earlier] of this.#out) {
      if (key === unixNano) break;
      if (earlier.lost && ++earlier.passed >= MOST_PASSED) this.#out.delete(key);
    }
    this.#out.delete(unixNano);
    this.#arrival.resolve();
    this.#arrival = Promise.withResolvers<void>();
  }

  #tellLost(err: unknown): void {
    const { clock, log, name, timeoutMs } = this.#options;
    if (this.#losing !== undefined) {
      this.#losing.count += 1;
      return;
    }
    this.#losing = { since: clock.steady(), count: 1 };
    log.warn(
      { destination: name, ...(err !== undefined && { err }) },
      `Canaries do not come back from ${name}: one could not be read there within ${formatDuration(timeoutMs)}`,
    );
  }

  #tellBack(): void {
    if (this.#losing === undefined) return;
    const { clock, log, name } = this.#options;
    const { since, count } = this.#losing;
    this.#losing = undefined;
    log.info(
      { destination: name, lost: count, forSeconds: Math.round((clock.steady() - since) / 1_000) },
      `Canaries come back from ${name} again`,
    );
  }
}
