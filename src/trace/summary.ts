import { isWorse } from './levels.ts';
import { viewRecord } from './record-view.ts';
import { compareUnixNano, type StoredRecord } from './stored-record.ts';
import type { TraceSummary } from './trace-summary.ts';

const MOST_PODS = 100;

/** Sums up the lines of one trace, in whatever order they come. Bounded, whatever is in them. */
export class Summary {
  readonly traceId: string;
  #first = '';
  #last = '';
  #lines = 0;
  #level = '';
  #message = '';
  #messageAt = '';
  readonly #pods = new Set<string>();

  constructor(traceId: string) {
    this.traceId = traceId;
  }

  get last(): string {
    return this.#last;
  }

  get lines(): number {
    return this.#lines;
  }

  add({ unixNano, bytes }: Pick<StoredRecord, 'unixNano' | 'bytes'>): void {
    const { level, message, pod } = viewRecord(bytes.toString('utf8'));
    const isEarlier = compareUnixNano(unixNano, this.#messageAt) < 0 && !isWorse(this.#level, level);
    if (this.#lines === 0 || isWorse(level, this.#level) || isEarlier) {
      this.#messageAt = unixNano;
      this.#level = level;
      this.#message = message.slice(0, 200);
    }
    if (pod !== '' && this.#pods.size < MOST_PODS) this.#pods.add(pod);
    this.see(unixNano);
  }

  /** Counts a line of which only the time is known. */
  see(unixNano: string): void {
    if (this.#lines === 0 || compareUnixNano(unixNano, this.#first) < 0) this.#first = unixNano;
    if (this.#lines === 0 || compareUnixNano(unixNano, this.#last) > 0) this.#last = unixNano;
    this.#lines += 1;
  }

  /** @param known what is known beyond the lines that were added. */
  result(known: { readonly lines?: number; readonly partial: boolean }): TraceSummary {
    return {
      traceId: this.traceId,
      firstUnixNano: this.#first,
      lastUnixNano: this.#last,
      lines: known.lines ?? this.#lines,
      pods: [...this.#pods],
      level: this.#level,
      message: this.#message,
      partial: known.partial,
      ...(known.partial && known.lines !== undefined && { linesKnown: true }),
    };
  }
}
