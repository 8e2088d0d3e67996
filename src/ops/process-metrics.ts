import { readdirSync, readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import Counter from 'prom-client/lib/counter.js';
import Gauge from 'prom-client/lib/gauge.js';
import { type Metrics, setTotal } from './metrics.ts';

/** The event loop is timed so often, in milliseconds: more often would wake an idle process for nothing. */
const TIMED_MS = 1_000;

/**
 * Adds what is to be known of the process and its runtime, under the names that Prometheus' client libraries give.
 * The library's own default metrics take 13 MB of resident memory, name gauges as if they were counters, and count
 * the time between two looks at the event loop as its lag.
 */
export function addProcessMetrics({ registry, beforeScrape }: Metrics): void {
  const registers = [registry];
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  const cpu = new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time, user and system.',
    registers,
  });
  const resident = gauge('process_resident_memory_bytes', 'Resident memory.');
  const openFds = gauge('process_open_fds', 'Descriptors that are open.');
  const maxFds = gauge('process_max_fds', 'Descriptors that may be open.');
  const heapTotal = gauge('nodejs_heap_size_total_bytes', "Size of V8's heap.");
  const heapUsed = gauge('nodejs_heap_size_used_bytes', "What is used of V8's heap.");
  const external = gauge('nodejs_external_memory_bytes', "Memory of objects outside of V8's heap.");
  const lagMax = gauge(
    'nodejs_eventloop_lag_max_seconds',
    'How late the event loop was at most since the last scrape.',
  );
  const lagMean = gauge(
    'nodejs_eventloop_lag_mean_seconds',
    'How late it was on average since the last scrape.',
  );
  const busy = gauge(
    'nodejs_eventloop_utilization_ratio',
    'Share of time in which it had work since the last scrape.',
  );
  gauge('process_start_time_seconds', 'When the process started.').set(performance.timeOrigin / 1000);
  maxFds.set(descriptorLimit());

  const lag = new Lag();
  let used = performance.eventLoopUtilization();
  beforeScrape.push(() => {
    const { user, system } = process.cpuUsage();
    setTotal(cpu, (user + system) / 1e6);
    const memory = process.memoryUsage();
    resident.set(memory.rss);
    heapTotal.set(memory.heapTotal);
    heapUsed.set(memory.heapUsed);
    external.set(memory.external);
    openFds.set(openDescriptors());
    const { max, mean } = lag.take();
    lagMax.set(max);
    lagMean.set(mean);
    const now = performance.eventLoopUtilization();
    busy.set(performance.eventLoopUtilization(now, used).utilization);
    used = now;
  });
}

/** How much later than asked for a timer comes. */
class Lag {
  #due = performance.now() + TIMED_MS;
  #max = 0;
  #sum = 0;
  #count = 0;

  constructor() {
    setInterval(() => this.#tick(), TIMED_MS).unref();
  }

  /** In seconds, since the last call. */
  take(): { max: number; mean: number } {
    const taken = { max: this.#max / 1000, mean: this.#count === 0 ? 0 : this.#sum / this.#count / 1000 };
    this.#max = this.#sum = this.#count = 0;
    return taken;
  }

  #tick(): void {
    const now = performance.now();
    const late = Math.max(0, now - this.#due);
    // Node asks for the next one so long after this one.
    this.#due = now + TIMED_MS;
    this.#max = Math.max(this.#max, late);
    this.#sum += late;
    this.#count++;
  }
}

/** NaN where the system does not tell: no Linux. */
function openDescriptors(): number {
  try {
    // The one that lists them is among them.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return Number.NaN;
  }
}

function descriptorLimit(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return Number(soft ?? Number.NaN);
  } catch {
    return Number.NaN;
  }
}
