import type { SkipReason } from '../offsets/ledger.ts';
import { type ScannedRecord, scanRecord } from './scan-record.ts';

/** What was found in a line that is a record. */
export interface ParsedRecord {
  /** The JSON text of the object and nothing around it; one character a byte. */
  readonly json: string;
  readonly traceId: string;
  readonly unixNano: string;
  /** It has a member `kubernetes` of its own. */
  readonly hasKubernetes: boolean;
}

const NON_ASCII = /[^\x20-\x7e]/;

/**
 * Tells whether a container's line is a record: a JSON object whose `traceId` is a non-empty string and whose
 * `time` is an RFC 3339 time with a zone.
 *
 * @param content one character a byte. JSON.parse may read it so: every byte of multi-byte text is above 0x7f,
 *   where JSON knows neither structure nor control characters.
 * @param unixNano see unix-nano.ts.
 */
export function parseRecord(
  content: string,
  unixNano: (time: string) => string | undefined,
): ParsedRecord | SkipReason {
  const scanned = scanRecord(content);
  if (scanned !== undefined) return toRecord(content, scanned, unixNano);
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    return 'not_json';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not_object';
  const { traceId, time } = value as { traceId?: unknown; time?: unknown };
  if (typeof traceId !== 'string' || traceId === '') return 'no_trace_id';
  if (typeof time !== 'string') return time === undefined ? 'no_time' : 'bad_time';
  return toRecord(content, { traceId, time, hasKubernetes: Object.hasOwn(value, 'kubernetes') }, unixNano);
}

function toRecord(
  content: string,
  { traceId, time, hasKubernetes }: ScannedRecord,
  unixNano: (time: string) => string | undefined,
): ParsedRecord | 'bad_time' {
  const nano = unixNano(time);
  if (nano === undefined) return 'bad_time';
  return {
    // What surrounds a JSON text that was parsed is white space.
    json: content.endsWith('}') && content.startsWith('{') ? content : content.trim(),
    traceId: NON_ASCII.test(traceId) ? decodedTraceId(content) : traceId,
    unixNano: nano,
    hasKubernetes,
  };
}

/** The trace ID as Unicode text. In the latin1 text an escape (`é`) and bytes (`Ã©`) cannot be told apart. */
function decodedTraceId(content: string): string {
  return (JSON.parse(Buffer.from(content, 'latin1').toString('utf8')) as { traceId: string }).traceId;
}
