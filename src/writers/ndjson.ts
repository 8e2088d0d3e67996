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
  const id = plain.test(traceId) ? `"${traceId}"` : utf8AsLatin1(JSON.stringify(traceId));
  return `{"timestamp":${unixNano},"traceId":${id},"log":${latin1}}\n`;
}

function utf8AsLatin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
