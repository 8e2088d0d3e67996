import type { LogRecord } from '../record/log-record.ts';

/** A record and the key it goes under. */
export interface Put {
  readonly key: string;
  readonly record: LogRecord;
}

// Tags of etcd's `rpc.proto`: the field's number, times eight, plus the wire type (0 varint, 2 length-delimited).
const TXN_SUCCESS = (2 << 3) | 2;
const OP_REQUEST_PUT = (2 << 3) | 2;
const PUT_KEY = (1 << 3) | 2;
const PUT_VALUE = (2 << 3) | 2;
const PUT_LEASE = (3 << 3) | 0;

/**
 * Encodes `TxnRequest{success: [RequestOp{request_put: PutRequest{key, value, lease}}, …]}`, in one pass into one
 * buffer. Through etcd3, protobufjs would make three objects of each record, copy it twice, and parse the
 * lease's digits each time: with the answer, which we do not need, about a third of a write's CPU time.
 *
 * @param lease decimal digits of an int64; undefined for none.
 */
export function encodePuts(puts: readonly Put[], lease: string | undefined): Buffer {
  const leaseField = lease === undefined ? Buffer.alloc(0) : encodeLease(lease);
  const sized = puts.map(({ key, record }) => {
    const keyLength = Buffer.byteLength(key, 'utf8');
    const putLength = fieldLength(keyLength) + fieldLength(record.byteLength) + leaseField.length;
    return { key, record, keyLength, putLength, opLength: fieldLength(putLength) };
  });
  const bytes = Buffer.allocUnsafe(sized.reduce((sum, { opLength }) => sum + fieldLength(opLength), 0));
  let at = 0;
  for (const { key, record, keyLength, putLength, opLength } of sized) {
    at = writeHead(bytes, at, TXN_SUCCESS, opLength);
    at = writeHead(bytes, at, OP_REQUEST_PUT, putLength);
    at = writeHead(bytes, at, PUT_KEY, keyLength);
    at += bytes.write(key, at, 'utf8');
    at = writeHead(bytes, at, PUT_VALUE, record.byteLength);
    at = record.copyTo(bytes, at);
    at += leaseField.copy(bytes, at);
  }
  return bytes;
}

/** Length of a length-delimited field with its tag, for contents of so many bytes. */
function fieldLength(contents: number): number {
  return 1 + varintLength(contents) + contents;
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) length++;
  return length;
}

function writeHead(bytes: Buffer, start: number, tag: number, length: number): number {
  let at = start;
  bytes[at++] = tag;
  let rest = length;
  for (; rest > 0x7f; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
  bytes[at++] = rest;
  return at;
}

function encodeLease(lease: string): Buffer {
  const bytes = [PUT_LEASE];
  // A negative int64 is written as its two's complement.
  let rest = BigInt.asUintN(64, BigInt(lease));
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}
