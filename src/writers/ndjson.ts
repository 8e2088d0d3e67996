import type { LogRecord } from '../record/log-record.ts';

/** What JSON writes between quotation marks as it is. */
const plain = /^[ !#-[\]-~]*$/;

/**
 * The line of a record in the file writer's output:
 * `{"timestamp": <unixNano>, "traceId": …, "log": <the record>}` and a line feed, without the spaces.
 *
 * @returns one character (U+0000 to U+00FF) for each byte, as `LogRecord.latin1`.
 */
export function toNdjsonLine({ unixNano, traceId, latin1 }: LogRecord): string {
  return `${ndjsonStart}${unixNano}${ndjsonTrace(traceId)}${latin1}}\n`;
}

/** What stands before `<unixNano>`. */
export const ndjsonStart = '{"timestamp":';

/** What stands between `<unixNano>` and the record; in latin1, too. */
export function ndjsonTrace(traceId: string): string {
  const id = plain.test(traceId) ? `"${traceId}"` : utf8AsLatin1(JSON.stringify(traceId));
  return `,"traceId":${id},"log":`;
}

function utf8AsLatin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
