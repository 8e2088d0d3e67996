import type { RecordInBytes } from '../record/log-record.ts';
import { putDigits, putSixHexDigits } from '../util/put-digits.ts';
import type { ByteBuffer } from './byte-buffer.ts';

/** At least what a line has beside its record and its trace ID. */
const AROUND_BYTES = 96;
const SECONDS_AT = '{"timestamp":'.length;
const NANOS_AT = SECONDS_AT + 10;
/** The last six hexadecimal digits of an offset are below; those above them change once in 16 MiB of a file. */
const LOW = 2 ** 24;
const LOW_DIGITS = 6;
const OFFSET_DIGITS = 12;
const traceEnd = Buffer.from('","log":');
const idStart = Buffer.from(',"id":"');
const endBytes = Buffer.from('"}\n');

/** What stands before the trace ID, with the seconds of the last record: those of one moment share them. */
const head = Buffer.from('{"timestamp":0000000000000000000,"traceId":"');
let headSeconds = -1;

/** The file of the last record, what its container's records end with, and the offset with zeros for low digits. */
let lastFileId = '';
let lastSuffix: Buffer = Buffer.alloc(0);
let lastOffset = 0;
/** What stands behind its own bytes. Not made for one record alone: of many containers each may be another's. */
let tail: Buffer | undefined;

/**
 * Adds the line of a record, as `addNdjsonLine` does. What it shares with the line before is kept: it is copied as a
 * whole, and what is new in it is put over it.
 *
 * @returns false where nothing was added: the time has no 19 digits, or the trace ID is not plain.
 */
export function addNdjsonParts(lines: ByteBuffer, record: RecordInBytes): boolean {
  if (record.seconds !== headSeconds && !setHead(record.seconds)) return false;
  const bytes = lines.reserve(record.byteLength + record.traceIdLength + AROUND_BYTES);
  const begin = lines.length;
  bytes.set(head, begin);
  putDigits(bytes, begin + NANOS_AT, 9, record.nanos);
  let at = record.copyTraceIdTo(bytes, begin + head.length);
  if (at === -1) return false;
  at = putBytes(bytes, at, traceEnd);
  at = record.copyOwnTo(bytes, at);
  lines.extend(copyTail(bytes, at, record));
  return true;
}

function setHead(seconds: number): boolean {
  // Ten digits: from 2001 to 2286.
  if (seconds < 1e9 || seconds >= 1e10) return false;
  putDigits(head, SECONDS_AT, 5, Math.floor(seconds / 1e5));
  putDigits(head, SECONDS_AT + 5, 5, seconds % 1e5);
  headSeconds = seconds;
  return true;
}

function copyTail(target: Buffer, at: number, record: RecordInBytes): number {
  const { fileId, suffix, offset } = record;
  const low = offset - lastOffset;
  if (low < 0 || low >= LOW || fileId !== lastFileId || suffix !== lastSuffix) {
    lastFileId = fileId;
    lastSuffix = suffix;
    lastOffset = offset - (offset % LOW);
    tail = undefined;
    return putTail(target, at, record);
  }
  tail ??= tailOf(record);
  target.set(tail, at);
  const end = at + tail.length;
  putSixHexDigits(target, end - endBytes.length - LOW_DIGITS, low);
  return end;
}

function tailOf(record: RecordInBytes): Buffer {
  const idBytes = record.fileId.length + 1 + OFFSET_DIGITS;
  const made = Buffer.allocUnsafe(record.suffix.length + idStart.length + idBytes + endBytes.length);
  putTail(made, 0, record);
  return made;
}

function putTail(target: Buffer, begin: number, record: RecordInBytes): number {
  let at = begin + record.suffix.copy(target, begin);
  at = putBytes(target, at, idStart);
  at = record.copyIdTo(target, at);
  return putBytes(target, at, endBytes);
}

/** For a few: a call of `set` takes as long as 30 of them. */
function putBytes(target: Buffer, at: number, bytes: Buffer): number {
  for (let i = 0; i < bytes.length; i++) target[at + i] = bytes[i]!;
  return at + bytes.length;
}
