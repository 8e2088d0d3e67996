import { isWorse } from './levels.ts';
import { nodeOfRecord } from './node-of-record.ts';
import { viewRecord } from './record-view.ts';
import { compareUnixNano, type StoredRecord } from './stored-record.ts';
import type { TraceSummary } from './trace-summary.ts';

/** So many pods and so many nodes are kept. */
const MOST_NAMES = 100;

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
  readonly #nodes = new Set<string>();

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
    addName(this.#pods, pod);
    addName(this.#nodes, nodeOfRecord(bytes) ?? '');
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
      nodes: [...this.#nodes],
      level: this.#level,
      message: this.#message,
      partial: known.partial,
      ...(known.partial && known.lines !== undefined && { linesKnown: true }),
    };
  }
}

function addName(names: Set<string>, name: string): void {
  if (name !== '' && names.size < MOST_NAMES) names.add(name);
}
