import { setImmediate as breathe } from 'node:timers/promises';
import pino from 'pino';
import { Batcher } from '../../src/batch/batcher.ts';
import { Delivery } from '../../src/deliver/delivery.ts';
import { OffsetStore } from '../../src/offsets/offset-store.ts';
import type { Gap, SavedOffsets } from '../../src/offsets/offsets-file.ts';
import { withText } from '../../src/record/agent-record.ts';
import { ContainerRecords } from '../../src/record/container-records.ts';
import type { LogRecord } from '../../src/record/log-record.ts';
import { ContainerTail } from '../../src/tail/container-tail.ts';
import { ReadLoop } from '../../src/tail/read-loop.ts';
import type { LogWriter } from '../../src/writers/log-writer.ts';

/** The whole data path over one container's directory, with a writer that keeps what it gets. */
export class Pipeline {
  readonly stored = new Map<string, LogRecord>();
  readonly order: LogRecord[] = [];
  readonly gaps: Gap[] = [];
  readonly store: OffsetStore;
  readonly tail: ContainerTail;
  readonly loop: ReadLoop;
  readonly delivery: Delivery;
  readonly #batcher: Batcher;
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;
  ended = false;
  /** While set, the writer fails. */
  down = false;

  constructor(
    directory: string,
    options: { saved?: SavedOffsets | undefined; maxRecordBytes?: number; roots?: string[] } = {},
  ) {
    const log = pino({ level: 'silent' });
    const maxRecordBytes = options.maxRecordBytes ?? 1024 * 1024;
    const [pod, container] = directory.split('/').slice(-2) as [string, string];
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
      },
    };
    this.delivery = new Delivery({
      writer,
      maxInFlight: 4,
      maxBatches: 16,
      maxBytes: 16 * 1024 * 1024,
      deadLetter: () => Promise.reject(new Error('no dead letters here')),
      log,
      onRoom: () => this.loop.wake(),
    });
    this.#batcher = new Batcher({ records: 20, bytes: 1024 * 1024, periodMs: 50 }, (batch) =>
      this.delivery.submit(batch),
    );
    const { delivery } = this;
    this.loop = new ReadLoop({
      get open() {
        return !delivery.full;
      },
    });
    const sink = new ContainerRecords({
      source: withText({ namespace: 'ns', pod, container, node: 'node-1' }, false),
      maxRecordBytes,
      onRecord: (record) => {
        record.addDestination();
        this.#batcher.add(record);
      },
    });
    this.tail = new ContainerTail({
      directory,
      offsets: this.store.follow(`${pod}/${container}`),
      sink,
      loop: this.loop,
      log,
      savedAt: this.store.savedAt,
      maxLineBytes: maxRecordBytes + 65536,
      allowedRoots: () => options.roots ?? [directory],
      onRefused: () => undefined,
      onGap: (gap) => this.gaps.push(gap),
      onRescan: () => undefined,
    });
    this.#running = Promise.all([this.loop.run(this.#stop.signal), this.#runTail()]);
  }

  async #runTail(): Promise<void> {
    await this.tail.run(this.#stop.signal);
    this.ended = true;
  }

  /** The trace IDs stored, in the order of the first time they were written. */
  get traceIds(): string[] {
    return [...this.stored.values()].map(({ traceId }) => traceId);
  }

  /** As a crash: what is in flight is not waited for. Returns what the offsets file would hold. */
  async kill(): Promise<SavedOffsets> {
    const saved = JSON.parse(JSON.stringify(this.store.snapshot(new Date()))) as SavedOffsets;
    this.#stop.abort();
    this.delivery.stop();
    await this.#running;
    return saved;
  }

  /** As SIGTERM: everything that was read is delivered first. */
  async stop(): Promise<SavedOffsets> {
    this.#batcher.flush();
    await this.delivery.drained(AbortSignal.timeout(5000));
    return await this.kill();
  }
}
