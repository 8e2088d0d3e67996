import type { LogRecord } from '../record/log-record.ts';
import type { ByteBuffer } from './byte-buffer.ts';
import type { Rejection } from './log-writer.ts';
import { addDocument, type DocumentOptions } from './search-document.ts';
import { isHopeless, refusedFor, type SearchProblem, wordsOf } from './search-errors.ts';
import { indexOf } from './search-index.ts';

export interface BulkOptions extends DocumentOptions {
  /** The pattern of ELASTICSEARCH_INDEX. */
  readonly index: string;
}

/** Adds the lines of a bulk request: each record is created under its identity, or is there already. */
export function addBulk(target: ByteBuffer, records: readonly LogRecord[], options: BulkOptions): void {
  let day = -1;
  let index = '';
  for (const record of records) {
    // As a rule all are of one day.
    const its = Math.floor(Number(record.unixNano.slice(0, -9)) / 86_400);
    if (its !== day) index = indexOf(options.index, record.unixNano);
    day = its;
    target.add(`{"create":{"_index":"${index}","_id":"${record.id}"}}\n`);
    addDocument(target, record, options);
    target.add('\n');
  }
}

/** What became of the records of a bulk request. */
export interface BulkOutcome {
  /** Durable, now or since an earlier try. */
  readonly stored: readonly LogRecord[];
  readonly rejections: readonly Rejection[];
  /** The records of indices that are not there and are not made by themselves. */
  readonly homeless: readonly LogRecord[];
  /** Why others failed; undefined where none did. */
  readonly failure: string | undefined;
}

interface Item {
  readonly status: number;
  readonly error?: SearchProblem;
}

/** What of the answer is asked for. */
export const bulkFilter = 'errors,items.*.status,items.*.error';

/** @throws SyntaxError where it is no answer to a bulk request of these records. */
export function readBulk(records: readonly LogRecord[], answer: Buffer): BulkOutcome {
  // Almost every answer; to read all its items would cost more than to send them.
  if (answer.subarray(0, 64).includes('"errors":false'))
    return { stored: records, rejections: [], homeless: [], failure: undefined };
  const { items } = JSON.parse(answer.toString('utf8')) as { items?: readonly Record<string, Item>[] };
  if (items?.length !== records.length) throw new SyntaxError('it does not answer as a bulk request is');
  const stored: LogRecord[] = [];
  const rejections: Rejection[] = [];
  const homeless: LogRecord[] = [];
  let failure: string | undefined;
  for (const [place, record] of records.entries()) {
    const { status, error = {} } = Object.values(items[place]!)[0]!;
    if (status < 300 || status === 409) stored.push(record);
    else if (isHopeless(status, error)) rejections.push({ record, reason: wordsOf(error) });
    else {
      if (error.type === 'index_not_found_exception') homeless.push(record);
      failure ??= refusedFor(error);
    }
  }
  return { stored, rejections, homeless, failure };
}
