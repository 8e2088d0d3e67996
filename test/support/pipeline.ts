import { setImmediate as breathe } from 'node:timers/promises';
import pino from 'pino';
import { Batcher } from '../../src/batch/batcher.ts';
import { Delivery } from '../../src/deliver/delivery.ts';
import { OffsetStore } from '../../src/offsets/offset-store.ts';
import type { Ledger } from '../../src/offsets/ledger.ts';
import type { Gap, SavedOffsets } from '../../src/offsets/offsets-file.ts';
import { withText } from '../../src/record/agent-record.ts';
import { ContainerRecords } from '../../src/record/container-records.ts';
import type { LogRecord } from '../../src/record/log-record.ts';
import { PartialBudget } from '../../src/record/partial-budget.ts';
import { ContainerTail, type OpenWish } from '../../src/tail/container-tail.ts';
import { TIMING, type Timing } from '../../src/tail/timing.ts';
import { ReadLoop } from '../../src/tail/read-loop.ts';
import type { LogWriter } from '../../src/writers/log-writer.ts';
import { until } from './until.ts';

export interface PipelineOptions {
  readonly saved?: SavedOffsets | undefined;
  readonly maxRecordBytes?: number;
  readonly roots?: string[];
  readonly timing?: Partial<Timing>;
  /** The container is not known to be wanted until `tail.release()`. */
  readonly held?: boolean;
  readonly mayOpen?: (wish: OpenWish) => boolean;
  /** The store is down from the start. */
  readonly down?: boolean;
  /** The store goes down when it holds so many records. */
  readonly downAfter?: number;
  /** Most batches that wait for the store. */
  readonly maxBatches?: number;
  /** A batch is written after so long, full or not; 50 unless told otherwise. */
  readonly batchPeriodMs?: number;
  /** What lines that lack their end may take before others wait; 64 MiB unless told otherwise. */
  readonly partialBytes?: number;
  /** Another container's, whose loop, batches and store are this one's too. To be ended after this one. */
  readonly shared?: Pipeline;
}

/** Quick enough for tests; the order of the times is that of the real ones. */
const QUICK: Timing = {
  ...TIMING,
  busyLook: 10,
  busySpacing: 0,
  mostBusyLook: 0,
  quietSpacing: 0,
  mostQuietLook: 0,
  quietLook: 20,
  directoryLook: 20,
  rescan: 1000,
  settle: 150,
  settleTorn: 500,
  linger: 1500,
  idle: 300,
  torn: 1000,
  drainGrace: 300,
  drainCut: 1500,
  failure: 300,
};

/** The whole data path over one container's directory, with a writer that keeps what it gets. */
export class Pipeline {
  readonly stored = new Map<string, LogRecord>();
  readonly order: LogRecord[] = [];
  readonly gaps: Gap[] = [];
  readonly refused: string[] = [];
  rescans = 0;
  partialsGivenUp = 0;
  /** The most that lines without an end took when a record was made, in bytes. */
  partialsSeen = 0;
  /** Trace IDs in the order in which the records were made. */
  readonly read: string[] = [];
  readonly store: OffsetStore;
  readonly tail: ContainerTail;
  readonly loop: ReadLoop;
  readonly delivery: Delivery;
  readonly batcher: Batcher;
  readonly partials: PartialBudget;
  readonly #shared: boolean;
  readonly #stop = new AbortController();
  /** What SIGTERM aborts first, and what ends its patience. */
  readonly #asked = new AbortController();
  readonly #patience = new AbortController();
  readonly #running: Promise<unknown>;
  ended = false;
  /** While set, the writer fails. */
  down = false;

  constructor(directory: string, options: PipelineOptions = {}) {
    const log = pino({ level: 'silent' });
    this.down = options.down ?? false;
    const maxRecordBytes = options.maxRecordBytes ?? 1024 * 1024;
    const [pod, container] = directory.split('/').slice(-2) as [string, string];
    const key = `${pod}/${container}`;
    this.store = new OffsetStore(options.saved, () => true);
    const writer: LogWriter = {
      name: 'memory',
      writeBatch: async (records) => {
        await breathe();
        if (this.down) throw new Error('Cannot write: the store is down');
        for (const record of records) {
          this.order.push(record);
          this.stored.set(record.id, record);
        }
        if (this.stored.size >= (options.downAfter ?? Infinity)) this.down = true;
      },
    };
    const { shared } = options;
    this.#shared = shared !== undefined;
    this.delivery =
      shared?.delivery ??
      new Delivery({
        writer,
        maxInFlight: 4,
        maxBatches: options.maxBatches ?? 16,
        maxBytes: 16 * 1024 * 1024,
        deadLetter: () => Promise.reject(new Error('no dead letters here')),
        log,
        onRoom: () => this.loop.wake(),
      });
    this.batcher =
      shared?.batcher ??
      new Batcher({ records: 20, bytes: 1024 * 1024, periodMs: options.batchPeriodMs ?? 50 }, (batch) =>
        this.delivery.submit(batch),
      );
    this.partials =
      shared?.partials ??
      new PartialBudget(options.partialBytes ?? 64 * 1024 * 1024, () => this.partialsGivenUp++);
    const { delivery } = this;
    this.loop =
      shared?.loop ??
      new ReadLoop({
        get open() {
          return !delivery.full;
        },
      });
    const sink = new ContainerRecords({
      source: withText({ namespace: 'ns', pod, container, node: 'node-1' }, false),
      maxRecordBytes,
      partials: this.partials,
      onRecord: (record) => {
        this.read.push(record.traceId);
        this.partialsSeen = Math.max(this.partialsSeen, this.partials.used);
        record.addDestination();
        this.batcher.add(record);
      },
    });
    this.tail = new ContainerTail({
      directory,
      offsets: options.held ? this.store.hold(key) : this.store.follow(key),
      held: options.held ?? false,
      onReleased: () => this.store.follow(key),
      ...(options.mayOpen && { mayOpen: options.mayOpen }),
      sink,
      loop: this.loop,
      log,
      savedAt: this.store.savedAt,
      maxLineBytes: maxRecordBytes + 65536,
      allowedRoots: () => options.roots ?? [directory],
      timing: { ...QUICK, ...options.timing },
      stopBy: this.#patience.signal,
      onRefused: (reason) => this.refused.push(reason),
      onGap: (gap) => this.gaps.push(gap),
      onRescan: () => this.rescans++,
      onPerishable: () => this.batcher.flush(),
    });
    const loop = this.#shared ? undefined : this.loop.run(this.#stop.signal);
    this.#running = Promise.all([loop, this.#runTail()]);
  }

  async #runTail(): Promise<void> {
    await this.tail.run(this.#asked.signal);
    this.ended = true;
  }

  /** The trace IDs stored, in the order of the first time they were written. */
  get traceIds(): string[] {
    return [...this.stored.values()].map(({ traceId }) => traceId);
  }

  /** The account of the container's lines; throws when it does not balance. */
  ledger(): Ledger {
    const ledger = this.store.ledger();
    if (ledger.imbalance !== 0) throw new Error(`The ledger is out of balance: ${JSON.stringify(ledger)}`);
    return ledger;
  }

  /** Waits until so many different records are stored. */
  async until(count: number, timeoutMs = 8000): Promise<void> {
    await until(() => this.stored.size >= count, {
      timeoutMs,
      what: `${count} records (there are ${this.stored.size})`,
    });
    this.ledger();
  }

  /** The pod is gone: everything that its files hold is read. */
  async drain(): Promise<SavedOffsets> {
    this.tail.drain();
    await until(() => this.ended, { timeoutMs: 10_000, what: 'the end of the tail' });
    return await this.stop();
  }

  /** As a crash: what is in flight is not waited for. Returns what the offsets file would hold. */
  async kill(): Promise<SavedOffsets> {
    const saved = JSON.parse(JSON.stringify(this.store.snapshot(new Date()))) as SavedOffsets;
    this.#asked.abort();
    this.#patience.abort();
    this.#stop.abort();
    if (!this.#shared) this.delivery.stop();
    await this.#running;
    return saved;
  }

  /** As SIGTERM: what only a descriptor holds is read first, unless `impatient`; then all is delivered. */
  async terminate({ impatient = false } = {}): Promise<SavedOffsets> {
    this.#asked.abort();
    if (impatient) this.#patience.abort();
    await until(() => this.ended, { what: 'the end of the tail' });
    return await this.stop();
  }

  /** Everything that was read is delivered first. */
  async stop(): Promise<SavedOffsets> {
    this.batcher.flush();
    await this.delivery.drained(AbortSignal.timeout(5000));
    return await this.kill();
  }
}
