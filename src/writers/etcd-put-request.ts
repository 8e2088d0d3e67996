import type { LogRecord } from '../record/log-record.ts';
import type { ByteBuffer } from './byte-buffer.ts';
import { MESSAGE_HEAD } from './grpc-channel.ts';

/** What one transaction puts: keys, and the record under each. Lists: an object for each put would cost more. */
export class Puts {
  readonly records: LogRecord[] = [];
  /** The keys' bytes, of other transactions too. */
  readonly keys: ByteBuffer;
  /** Where each key begins in them, and where it ends. */
  readonly from: number[] = [];
  readonly to: number[] = [];

  constructor(keys: ByteBuffer) {
    this.keys = keys;
  }

  get count(): number {
    return this.records.length;
  }

  add(record: LogRecord, from: number, to: number): void {
    this.records.push(record);
    this.from.push(from);
    this.to.push(to);
  }

  /** Those from one place up to and without another, as `Array.slice` counts. */
  slice(from: number, to = this.count): Puts {
    const part = new Puts(this.keys);
    for (let i = from; i < to; i++) part.add(this.records[i]!, this.from[i]!, this.to[i]!);
    return part;
  }
}

// Tags of etcd's `rpc.proto`: the field's number, times eight, plus the wire type (0 varint, 2 length-delimited).
const TXN_SUCCESS = (2 << 3) | 2;
const OP_REQUEST_PUT = (2 << 3) | 2;
const PUT_KEY = (1 << 3) | 2;
const PUT_VALUE = (2 << 3) | 2;
const PUT_LEASE = (3 << 3) | 0;
const NOTHING = Buffer.alloc(0);

/**
 * Encodes `TxnRequest{success: [RequestOp{request_put: PutRequest{key, value, lease}}, …]}`, in one pass into one
 * buffer. Through etcd3, protobufjs would make three objects of each record, copy it twice, and parse the
 * lease's digits each time: with the answer, which we do not need, about a third of a write's CPU time.
 *
 * @param lease as `encodeLease` gives it; undefined for none.
 * @returns the message behind `MESSAGE_HEAD` bytes for gRPC.
 */
export function encodePuts({ keys, from, to, records }: Puts, lease: Buffer = NOTHING): Buffer {
  const putLength = (i: number): number =>
    fieldLength(to[i]! - from[i]!) + fieldLength(records[i]!.byteLength) + lease.length;
  let length = MESSAGE_HEAD;
  for (let i = 0; i < records.length; i++) length += fieldLength(fieldLength(putLength(i)));
  const bytes = Buffer.allocUnsafe(length);
  let at = MESSAGE_HEAD;
  for (let i = 0; i < records.length; i++) {
    const record = records[i]!;
    at = writeHead(bytes, at, TXN_SUCCESS, fieldLength(putLength(i)));
    at = writeHead(bytes, at, OP_REQUEST_PUT, putLength(i));
    at = writeHead(bytes, at, PUT_KEY, to[i]! - from[i]!);
    at = keys.copyTo(bytes, at, from[i]!, to[i]!);
    at = writeHead(bytes, at, PUT_VALUE, record.byteLength);
    at = record.copyTo(bytes, at);
    for (let byte = 0; byte < lease.length; byte++) bytes[at++] = lease[byte]!;
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

/** The field `lease` of a put. @param lease decimal digits of an int64. */
export function encodeLease(lease: string): Buffer {
  const bytes = [PUT_LEASE];
  // A negative int64 is written as its two's complement.
  let rest = BigInt.asUintN(64, BigInt(lease));
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}
