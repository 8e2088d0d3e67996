import type { LogRecord } from '../record/log-record.ts';
import type { ByteBuffer } from './byte-buffer.ts';

/** What JSON does not write between quotation marks as it is, or not in one byte. */
const notPlain = /[^ !#-[\]-~]/;

/**
 * Adds the line of a record in the file writer's output:
 * `{"timestamp": <unixNano>, "traceId": …, "log": <the record>}` and a line feed, without the spaces.
 */
export function addNdjsonLine(lines: ByteBuffer, record: LogRecord): void {
  // Bit by bit: joined to one text first, each line would leave twice its frame for the collector.
  lines.addBytes(startBytes);
  lines.add(record.unixNano);
  lines.addBytes(traceStartBytes);
  lines.add(betweenQuotes(record.traceId));
  lines.addBytes(traceEndBytes);
  lines.addRecord(record);
  lines.addBytes(endBytes);
}

const traceStart = ',"traceId":"';
const traceEnd = '","log":';

/** What stands before `<unixNano>`. */
export const ndjsonStart = '{"timestamp":';

const startBytes = Buffer.from(ndjsonStart);
const traceStartBytes = Buffer.from(traceStart);
const traceEndBytes = Buffer.from(traceEnd);
const endBytes = Buffer.from('}\n');

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
