import { type RecordView, viewRecord } from '../../trace/record-view.ts';

/** A line of a trace, as the API gives it. */
export interface ApiRecord {
  readonly unixNano: string;
  readonly id: string;
  readonly record?: unknown;
  readonly text?: string;
}

/** A line as the page keeps it. */
export interface Line {
  readonly unixNano: string;
  readonly id: string;
  readonly view: RecordView;
  /** `<pod>/<container>`; a dash where the record does not say. */
  readonly lane: string;
  /** The record's JSON, in one line. */
  readonly json: string;
  /** What the filter looks through, in lower case. */
  readonly searched: string;
  /** The members but the message, in short. */
  readonly fields: string;
}

const MOST_FIELDS = 300;

export function toLine({ unixNano, id, record, text }: ApiRecord): Line {
  const json = record === undefined ? (text ?? '') : JSON.stringify(record);
  const view = viewRecord(json);
  const fields = view.fields
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('  ')
    .slice(0, MOST_FIELDS);
  const lane = view.pod === '' ? '–' : `${view.pod}/${view.container}`;
  return { unixNano, id, view, lane, json, searched: json.toLowerCase(), fields };
}

/** Orders lines within their trace. */
export function compareLines(a: Line, b: Line): number {
  if (a.unixNano.length !== b.unixNano.length) return a.unixNano.length - b.unixNano.length;
  if (a.unixNano !== b.unixNano) return a.unixNano < b.unixNano ? -1 : 1;
  return a.id < b.id ? -1 : Number(a.id > b.id);
}
