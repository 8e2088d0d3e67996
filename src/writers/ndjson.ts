import type { LogRecord } from '../record/log-record.ts';
import type { ByteBuffer } from './byte-buffer.ts';
import { isInBytes } from './is-in-bytes.ts';
import { addNdjsonParts } from './ndjson-parts.ts';

/** What JSON does not write between quotation marks as it is, or not in one byte. */
const notPlain = /[^ !#-[\]-~]/;

/**
 * Adds the line of a record in the file writer's output:
 * `{"timestamp": <unixNano>, "traceId": …, "log": <the record>, "id": …}` and a line feed, without the spaces.
 */
export function addNdjsonLine(lines: ByteBuffer, record: LogRecord): void {
  if (isInBytes(record) && addNdjsonParts(lines, record)) return;
  // Bit by bit, and as bytes where they are at hand: each text would be one more thing for the collector.
  lines.addBytes(startBytes);
  lines.addUnixNano(record);
  lines.addBytes(traceStartBytes);
  if (!lines.addPlainTraceId(record)) lines.add(betweenQuotes(record.traceId));
  lines.addBytes(traceEndBytes);
  lines.addRecord(record);
  lines.addBytes(idStartBytes);
  lines.addId(record);
  lines.addBytes(endBytes);
}

const traceStart = ',"traceId":"';
const traceEnd = '","log":';

/** What stands before `<unixNano>`. */
export const ndjsonStart = '{"timestamp":';

const startBytes = Buffer.from(ndjsonStart);
const traceStartBytes = Buffer.from(traceStart);
const traceEndBytes = Buffer.from(traceEnd);
const idStartBytes = Buffer.from(',"id":"');
const endBytes = Buffer.from('"}\n');
/** Of our own it is 29. */
const longestId = 64;

/**
 * The identity in a line. Lines that had none, before there were any, end in two braces, so that no record's own
 * member is taken for it.
 *
 * @param end where its line feed is.
 */
export function ndjsonIdAt(text: Buffer, end: number): string | undefined {
  const start = ndjsonRecordEnd(text, end);
  if (start === end - 1) return undefined;
  return text.toString('latin1', start + idStartBytes.length, end - 2);
}

/** Where the record in a line ends. @param end where its line feed is. */
export function ndjsonRecordEnd(text: Buffer, end: number): number {
  if (end < 2 || text[end - 2] !== 0x22) return end - 1;
  const start = text.lastIndexOf(idStartBytes, end - 2);
  return start > 0 && start >= end - 2 - idStartBytes.length - longestId ? start : end - 1;
}

/** What stands between `<unixNano>` and the record; in latin1, too. */
export function ndjsonTrace(traceId: string): string {
  return `${traceStart}${betweenQuotes(traceId)}${traceEnd}`;
}

function betweenQuotes(text: string): string {
  return notPlain.test(text) ? utf8AsLatin1(JSON.stringify(text).slice(1, -1)) : text;
}

function utf8AsLatin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
