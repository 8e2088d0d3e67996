import type { Log } from '../ops/log.ts';
import type { Metrics } from '../ops/metrics.ts';
import { Repeated } from '../ops/repeated.ts';
import { pause } from '../util/pause.ts';
import { RetryAfterError } from '../writers/log-writer.ts';
import type { NodeGap, NodeReport } from '../writers/node-report.ts';
import type { NodeReports } from '../writers/node-reports.ts';
import type { Mark, Watermark } from './watermark.ts';

export interface ReporterOptions {
  readonly watermark: Pick<Watermark, 'now'>;
  /** Loaded when it runs. */
  readonly destinations: () => Promise<readonly NodeReports[]>;
  readonly node: string;
  readonly version: string;
  /** WRITERS. */
  readonly writers: readonly string[];
  readonly startedAt: Date;
  /** Between two reports, in milliseconds. */
  readonly periodMs: number;
  readonly leaseMs: number;
  /** Containers that are there and selected, or may be. */
  readonly containers: () => number;
  /** What could not be read, the latest first, and how many there are besides. */
  readonly gaps: () => { readonly gaps: readonly NodeGap[]; readonly leftOut: number };
  /** The agent is to stop: from then on its containers are those that were there. */
  readonly stopping: AbortSignal;
  /** Whether the writer of this name fails, which is told already. */
  readonly fails: (name: string) => boolean;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'watermark' | 'watermarkLag' | 'nodeReports'>;
}

/** A report may take so long, in milliseconds: the next one tells more. */
const REPORT_MS = 5_000;

/** A store that fails is told of by its writer first; only what lasts for so long is told of here. */
const PATIENCE_MS = 10_000;

/** Where it is told seldom, an agent counts as silent only when so many reports are missing. */
const MISSED = 3;

/** Records are stored all the same: what lasts is said again so seldom. */
const SAID_AGAIN_MS = 3_600_000;

/** A destination, and what an earlier run had told it: that is true for good. */
interface Told {
  readonly reports: NodeReports;
  /** Milliseconds since 1970; undefined until it was asked for. */
  floor: number | undefined;
  /** Since when it fails, and before when it is not to be tried again; of `performance.now()`. */
  failingSince: number | undefined;
  notBefore: number;
}

/** Tells the destinations how far all that this node's containers wrote is stored, as long as the agent runs. */
export class Reporter {
  readonly #options: ReporterOptions;
  #told: readonly Told[] = [];
  readonly #repeated: Repeated;
  #containers = 0;
  /** What the last report rested on. */
  mark: Mark | undefined;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#repeated = new Repeated(options.log, { everyMs: SAID_AGAIN_MS });
  }

  /** Until the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { destinations, metrics } = this.#options;
    this.#told = (await destinations()).map((reports) => ({
      reports,
      floor: undefined,
      failingSince: undefined,
      notBefore: 0,
    }));
    for (const { reports } of this.#told) {
      for (const outcome of ['ok', 'error'])
        metrics.nodeReports.inc({ destination: reports.name, outcome }, 0);
    }
    while (!signal.aborted) {
      await this.#report(false, signal);
      await pause(this.#options.periodMs, signal);
    }
  }

  /** The last word, when everything has ended. @param stopped all that was read is stored. Never rejects. */
  async end(stopped: boolean): Promise<void> {
    await this.#report(stopped, new AbortController().signal);
    for (const { reports } of this.#told) await reports.close?.();
  }

  async #report(stopped: boolean, signal: AbortSignal): Promise<void> {
    const { watermark, metrics, stopping, startedAt, containers } = this.#options;
    const mark = watermark.now();
    this.mark = mark;
    metrics.watermark.set((mark.at ?? 0) / 1_000);
    metrics.watermarkLag.set(mark.lagSeconds ?? (Date.now() - startedAt.getTime()) / 1_000);
    if (!stopping.aborted) this.#containers = containers();
    const timed = AbortSignal.any([signal, AbortSignal.timeout(REPORT_MS)]);
    await Promise.all(this.#told.map((told) => this.#tell(told, { mark, stopped }, timed)));
  }

  async #tell(
    told: Told,
    { mark, stopped }: { mark: Mark; stopped: boolean },
    signal: AbortSignal,
  ): Promise<void> {
    const { name } = told.reports;
    const { metrics, stopping } = this.#options;
    // The last word is always tried.
    if (performance.now() < told.notBefore && !stopping.aborted) return;
    try {
      told.floor ??= await this.#earlier(told.reports, signal);
      const { everyMs = 0 } = told.reports;
      const report = this.#made(Math.max(mark.at ?? -Infinity, told.floor), stopped);
      const leaseSeconds = Math.max(report.leaseSeconds, (MISSED * everyMs) / 1_000);
      await told.reports.publish({ ...report, leaseSeconds }, signal);
      told.failingSince = undefined;
      told.notBefore = performance.now() + everyMs;
      metrics.nodeReports.inc({ destination: name, outcome: 'ok' });
      this.#repeated.resolved(name, `What is stored of this node is told to ${name} again`);
    } catch (err) {
      // The agent stops: the last word is still to come.
      if (signal.aborted && stopping.aborted && !stopped) return;
      metrics.nodeReports.inc({ destination: name, outcome: 'error' });
      this.#failed(told, err);
    }
  }

  #failed(told: Told, err: unknown): void {
    const { name } = told.reports;
    const now = performance.now();
    told.failingSince ??= now;
    if (err instanceof RetryAfterError) told.notBefore = now + err.delayMs;
    if (now - told.failingSince < PATIENCE_MS || this.#options.fails(name)) return;
    // Somebody has to do something: what, is in the message.
    const todo = err instanceof RetryAfterError ? `: ${err.message}` : '';
    this.#repeated.problem(
      name,
      `Cannot tell ${name} how far this node's logs are stored; traces are not called complete until it is told${todo}`,
      { err },
    );
  }

  async #earlier(reports: NodeReports, signal: AbortSignal): Promise<number> {
    const last = await reports.last(this.#options.node, signal);
    const at = last === undefined || last.watermark === null ? -Infinity : Date.parse(last.watermark);
    // The clock was set back: lines of that time are still to come.
    return at <= Date.now() ? at : -Infinity;
  }

  #made(at: number, stopped: boolean): NodeReport {
    const { node, version, writers, startedAt, leaseMs, gaps } = this.#options;
    const now = Date.now();
    const told = gaps();
    return {
      version: 1,
      node,
      agent: version,
      writers,
      since: startedAt.toISOString(),
      published: new Date(now).toISOString(),
      leaseSeconds: leaseMs / 1_000,
      watermark: at === -Infinity ? null : withNanos(at),
      lagSeconds: at === -Infinity ? null : Math.max(0, now - at) / 1_000,
      containers: this.#containers,
      stopped,
      gaps: told.gaps,
      gapsLeftOut: told.leftOut,
    };
  }
}

/** Rounded down: the time itself may not be covered. */
function withNanos(at: number): string {
  return new Date(Math.floor(at)).toISOString().replace('Z', '000000Z');
}
