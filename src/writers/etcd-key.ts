import type { LogRecord } from '../record/log-record.ts';
import type { ByteBuffer } from './byte-buffer.ts';

/** What every key begins with; `etcdRange('logs/')` holds all records of all traces. */
export const keyPrefix = 'logs/';

const prefixBytes = Buffer.from(keyPrefix);
const slashBytes = Buffer.from('/');
/** Of the characters below, those that a plain trace ID may hold. */
const SLASH = 0x2f;
const PERCENT = 0x25;

/** What may not stand in a key's segment as it is: `/`, `%`, control characters and halves of surrogate pairs. */
const unsafe = /[/%\p{Cc}\p{Cs}]/u;
const allUnsafe = /[/%\p{Cc}\p{Cs}]/gu;

/** Adds the key of a record, as bytes: `logs/<traceId>/<unixNano>/<recordId>`. */
export function addEtcdKey(keys: ByteBuffer, record: LogRecord): void {
  // Bit by bit, and as bytes where they are at hand: each text would be one more thing for the collector.
  keys.addBytes(prefixBytes);
  const begin = keys.length;
  if (!keys.addPlainTraceId(record) || keys.has(SLASH, PERCENT, begin)) {
    keys.truncate(begin);
    keys.addUtf8(keySegment(record.traceId));
  }
  keys.addBytes(slashBytes);
  keys.addUnixNano(record);
  keys.addBytes(slashBytes);
  keys.addId(record);
}

/**
 * What the keys of one trace begin with: `logs/<traceId>/`. Different trace IDs have different prefixes, none of
 * which begins with another.
 *
 * The length is not limited here: a key that makes the request too large for the server is refused by it, and
 * its record goes to the dead letters.
 */
export function tracePrefix(traceId: string): string {
  return `${keyPrefix}${keySegment(traceId)}/`;
}

/**
 * A text as a segment of a key: its unsafe characters percent-encoded by the bytes of their UTF-8 form, in upper
 * case; a lone half of a surrogate pair, which has none, by the three bytes that UTF-8's scheme would give it (WTF-8).
 */
export function keySegment(text: string): string {
  return unsafe.test(text) ? text.replace(allUnsafe, percentEncode) : text;
}

/** The keys that begin with a prefix, as etcd names a range: from `key` up to and without `range_end`. */
export function etcdRange(prefix: string): { key: Buffer; range_end: Buffer } {
  const key = Buffer.from(prefix, 'utf8');
  const end = Buffer.from(key);
  // The prefixes here end in «/»: its byte can be counted up.
  end[end.length - 1]! += 1;
  return { key, range_end: end };
}

function percentEncode(character: string): string {
  if (character.isWellFormed()) {
    return [...Buffer.from(character, 'utf8')].map(toPercent).join('');
  }
  const code = character.charCodeAt(0);
  return [0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)].map(toPercent).join('');
}

function toPercent(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
