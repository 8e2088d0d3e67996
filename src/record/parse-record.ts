import type { SkipReason } from '../offsets/ledger.ts';
import { type ByteSlice, latin1Of, sliceOf } from '../util/byte-slice.ts';
import { type ScannedRecord, scanRecord } from './scan-record.ts';
import { parseTime, type UnixTime } from './unix-nano.ts';

const NON_ASCII = /[^\x20-\x7e]/;

/** What was found in a line that is a record. */
export interface ParsedRecord {
  /** The JSON text of the object and nothing around it. */
  readonly json: ByteSlice;
  readonly traceId: TraceId;
  readonly time: UnixTime;
  /** It has a member `kubernetes` of its own. */
  readonly hasKubernetes: boolean;
}

/** The text; or where it stands in the record, in UTF-8: a destination may not want it as text. */
export type TraceId = string | Pick<ScannedRecord, 'traceFrom' | 'traceTo'>;

/**
 * Tells whether a container's line is a record: a JSON object whose `traceId` is a non-empty string and whose
 * `time` is an RFC 3339 time with a zone.
 */
export function parseRecord(content: ByteSlice): ParsedRecord | SkipReason {
  const scanned = scanRecord(content);
  if (scanned === undefined) return parseUnusual(content);
  if (scanned === 'bad_time') return scanned;
  return { json: content, traceId: scanned, time: scanned, hasKubernetes: scanned.hasKubernetes };
}

/**
 * JSON.parse may read one character a byte: every byte of multi-byte text is above 0x7f, where JSON knows neither
 * structure nor control characters.
 */
function parseUnusual(content: ByteSlice): ParsedRecord | SkipReason {
  const text = latin1Of(content);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'not_json';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not_object';
  const { traceId, time } = value as { traceId?: unknown; time?: unknown };
  if (typeof traceId !== 'string' || traceId === '') return 'no_trace_id';
  if (typeof time !== 'string') return time === undefined ? 'no_time' : 'bad_time';
  const parsed = parseTime(time);
  if (parsed === undefined) return 'bad_time';
  return {
    // What surrounds a JSON text that was parsed is white space.
    json: sliceOf(text.trim()),
    traceId: NON_ASCII.test(traceId) ? decodedTraceId(text) : traceId,
    time: parsed,
    hasKubernetes: Object.hasOwn(value, 'kubernetes'),
  };
}

/** The trace ID as Unicode text. In latin1 text an escape (`é`) and bytes (`Ã©`) cannot be told apart. */
function decodedTraceId(text: string): string {
  return (JSON.parse(Buffer.from(text, 'latin1').toString('utf8')) as { traceId: string }).traceId;
}
