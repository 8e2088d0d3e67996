import { splitPlace } from '../../../src/demo/compare-trace.ts';
import type { TestRecord } from './test-records.ts';

/** Where a record was printed. */
export interface PrintedBy {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** A record as the store has it. */
export interface StoredRecord {
  readonly traceId: string;
  readonly unixNano: string;
  readonly value: Buffer;
}

/** What is wrong with the store, each with what it is about; all empty where nothing is. */
export interface Verdict {
  readonly lost: readonly string[];
  readonly twice: readonly string[];
  /** The member `kubernetes` names another place than the one where it was printed. */
  readonly misplaced: readonly string[];
  /** Printed by nobody: altered, or under another trace ID or time. */
  readonly foreign: readonly string[];
}

/** Remembers every record that was printed, and judges what the store made of them, byte for byte. */
export class ExpectedRecords {
  readonly #printed = new Map<string, PrintedBy>();

  get size(): number {
    return this.#printed.size;
  }

  add({ traceId, unixNano, json }: TestRecord, { namespace, pod, container }: PrintedBy): void {
    this.#printed.set(keyOf(traceId, unixNano, json.toString('latin1')), { namespace, pod, container });
  }

  /** Compares with all that the store holds. The values may or may not have the member `kubernetes`. */
  judge(stored: Iterable<StoredRecord>): Verdict {
    const times = new Map<string, number>();
    const foreign: string[] = [];
    const misplaced: string[] = [];
    for (const { traceId, unixNano, value } of stored) {
      const { json, place } = splitPlace(value.toString('latin1'));
      const key = keyOf(traceId, unixNano, json);
      const printed = this.#printed.get(key);
      if (printed === undefined) {
        foreign.push(brief(key));
        continue;
      }
      times.set(key, (times.get(key) ?? 0) + 1);
      if (
        place !== undefined &&
        (['namespace', 'pod', 'container'] as const).some((name) => place[name] !== printed[name])
      ) {
        misplaced.push(brief(key));
      }
    }
    return {
      lost: [...this.#printed.keys()].filter((key) => !times.has(key)).map(brief),
      twice: [...times].filter(([, count]) => count > 1).map(([key]) => brief(key)),
      misplaced,
      foreign,
    };
  }
}

function keyOf(traceId: string, unixNano: string, json: string): string {
  return `${traceId}/${unixNano} ${json}`;
}

function brief(key: string): string {
  return key.length > 300 ? `${key.slice(0, 200)} … ${key.slice(-80)}` : key;
}
