import { nodeKey, parseNodeReport } from '../../src/writers/node-report.ts';
import { pause } from '../../src/util/pause.ts';
import type { TestEtcd } from '../support/etcd.ts';
import type { RecordBook } from './record-book.ts';

/** A watermark as etcd had it since a revision; in milliseconds of the book's time. */
interface Told {
  readonly revision: number;
  readonly at: number;
}

const ASK_MS = 250;
/** Two clocks, read one after the other and to whole milliseconds. */
const TOLERANCE_MS = 5;

/**
 * Holds every record against the watermarks that the agent told: whatever was written before a watermark must have
 * been stored at an earlier revision of etcd than that watermark.
 */
export class Watermarks {
  readonly #etcd: TestEtcd;
  readonly #book: RecordBook;
  readonly #told: Told[] = [];
  /** Records that were held against a watermark that was told before they were stored. */
  checked = 0;
  readonly complaints: string[] = [];

  constructor(etcd: TestEtcd, book: RecordBook) {
    this.#etcd = etcd;
    this.#book = book;
  }

  /** How many there were. */
  get count(): number {
    return this.#told.length;
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#ask().catch(() => undefined); // etcd is frozen or down, which is what this run is for.
      await pause(ASK_MS, signal);
    }
  }

  /** A record was found in the store, and the book has not seen it yet. @param revision at which its key was made. */
  stored(value: Buffer, revision: number): void {
    const seq = Number(/"seq":(\d+)/.exec(value.toString('latin1'))?.[1] ?? NaN);
    // One that was taken out may come again, under a later revision.
    if (!(seq < this.#book.size) || !this.#book.isMust(seq) || this.#book.wasSeen(seq)) return;
    const before = this.#toldBefore(revision);
    if (before === undefined) return;
    this.checked++;
    if (!this.#book.wasFinishedBy(seq, before.at - TOLERANCE_MS)) return;
    this.complaints.push(
      `The watermark ${Math.round(before.at)} ms was told before a record was stored: ${this.#book.describe(seq)}`,
    );
  }

  /** The last that was told before this revision. */
  #toldBefore(revision: number): Told | undefined {
    let from = 0;
    for (let to = this.#told.length; from < to;) {
      const middle = (from + to) >> 1;
      if (this.#told[middle]!.revision < revision) from = middle + 1;
      else to = middle;
    }
    return this.#told[from - 1];
  }

  async #ask(): Promise<void> {
    const { kvs } = await this.#etcd.client.kv.range(
      { key: Buffer.from(nodeKey('node-1')) },
      { deadline: Date.now() + 2_000 },
    );
    const report = kvs[0] === undefined ? undefined : parseNodeReport(kvs[0].value.toString('utf8'));
    if (report?.watermark === undefined || report.watermark === null) return;
    const revision = Number(kvs[0]!.mod_revision);
    const last = this.#told.at(-1);
    if (last?.revision === revision) return;
    const at = this.#book.now() - (Date.now() - Date.parse(report.watermark));
    if (last !== undefined && at < last.at - TOLERANCE_MS)
      this.complaints.push(`The watermark went back from ${Math.round(last.at)} ms to ${Math.round(at)} ms`);
    this.#told.push({ revision, at });
  }
}
