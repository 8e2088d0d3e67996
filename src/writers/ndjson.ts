import type { LogRecord } from '../record/log-record.ts';

/** What JSON does not write between quotation marks as it is, or not in one byte. */
const notPlain = /[^ !#-[\]-~]/;

/**
 * The line of a record in the file writer's output:
 * `{"timestamp": <unixNano>, "traceId": …, "log": <the record>}` and a line feed, without the spaces.
 *
 * @returns one character (U+0000 to U+00FF) for each byte, as `LogRecord.latin1`.
 */
export function toNdjsonLine({ unixNano, traceId, latin1 }: LogRecord): string {
  return `${ndjsonStart}${unixNano},"traceId":"${betweenQuotes(traceId)}","log":${latin1}}\n`;
}

/** What stands before `<unixNano>`. */
export const ndjsonStart = '{"timestamp":';

/** What stands between `<unixNano>` and the record; in latin1, too. */
export function ndjsonTrace(traceId: string): string {
  return `,"traceId":"${betweenQuotes(traceId)}","log":`;
}

function betweenQuotes(text: string): string {
  return notPlain.test(text) ? utf8AsLatin1(JSON.stringify(text).slice(1, -1)) : text;
}

function utf8AsLatin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
