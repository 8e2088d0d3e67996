import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ByteSlice } from '../util/byte-slice.ts';
import { parseTime, type UnixTime } from './unix-nano.ts';

/**
 * What makes a JSON object a record: where the text of its trace ID stands, without quotation marks, and its time.
 * Numbers and no slices, since this is made of each line.
 */
export interface ScannedRecord extends UnixTime {
  readonly traceFrom: number;
  readonly traceTo: number;
  readonly hasKubernetes: boolean;
}

/** What `wasm/record.ts` exports. */
interface Scanner {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly bytes: { readonly value: number };
  /** Returns 0 for no record, 2 where the record's time is left to others. */
  readonly scan: (from: number, to: number) => number;
}

/** What we use of it: neither TypeScript's library for Node nor Node's own types have it. */
declare const WebAssembly:
  | {
      readonly Module: new (bytes: Uint8Array) => object;
      readonly Instance: new (module: object) => { readonly exports: unknown };
    }
  | undefined;

const TIME_UNREAD = 2;
/** What is read at once: more than that may be read behind the end of what is scanned. */
const VECTOR_BYTES = 16;

// Seen from the sources and from dist/ alike.
const built = new URL('../../dist/record/record.wasm', import.meta.url);
const { memory, bytes: start, scan } = load();
const target = new Uint8Array(memory.buffer, start.value);
const found = new Uint32Array(memory.buffer, 0, 7);
/** What stands in WebAssembly's memory: one piece of a file holds many records, and is copied once. */
let loaded: Buffer | undefined;

/**
 * Reads a usual record without making a value of each member, in a fifth of the time that JSON.parse takes: its grammar
 * is checked whole, and what matters is cut out.
 *
 * Of a JSON object it only ever says yes. What is unusual in any way (an escape in a name or in one of the two members,
 * another type, white space around, a line feed within, great depth or length) gives undefined, and so does what is no
 * JSON: then JSON.parse decides. Of a member that is there twice the last counts, as with JSON.parse.
 *
 * @param slice of bytes that never change.
 */
export function scanRecord({ bytes, from, to }: ByteSlice): ScannedRecord | 'bad_time' | undefined {
  if (bytes !== loaded) {
    if (bytes.length > target.length - VECTOR_BYTES) return undefined;
    target.set(bytes);
    loaded = bytes;
  }
  const outcome = scan(from, to);
  if (outcome === 0) return undefined;
  const time = outcome === TIME_UNREAD ? parseTime(bytes.toString('latin1', found[2], found[3])) : undefined;
  if (outcome === TIME_UNREAD && time === undefined) return 'bad_time';
  return {
    traceFrom: found[0]!,
    traceTo: found[1]!,
    hasKubernetes: found[4] === 1,
    seconds: time?.seconds ?? found[5]!,
    nanos: time?.nanos ?? found[6]!,
  };
}

function load(): Scanner {
  if (typeof WebAssembly === 'undefined')
    throw new Error('Records are read with WebAssembly, and this Node runs without: does it have --jitless?');
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(readFileSync(built))).exports as Scanner;
  } catch (cause) {
    throw new Error(`Cannot load ${fileURLToPath(built)}: «npm run build» makes it`, { cause });
  }
}
