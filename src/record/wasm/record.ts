// What `scan-record.ts` calls. AssemblyScript, TypeScript's syntax for WebAssembly: all that is done for every byte of
// a log is done here, sixteen bytes at a time where it can be.
import { CLOSING_BRACE, COMMA, NONE, plainEnd, QUOTE, skipSpace, valueEnd, valueStart } from './grammar';
import { readTime } from './utc-time';

/** Where the bytes that are scanned have to be put. All offsets are from there. */
export const bytes: usize = 64;

const NO_RECORD: i32 = 0;
const RECORD: i32 = 1;
/** A record, whose time has another form than the usual one. */
const TIME_UNREAD: i32 = 2;

// Names as the processor reads them, the last byte first.
const TRACE_ID: u64 = 0x0064_4965_6361_7274;
const TIME: u32 = 0x656d_6974;
const KUBERNET: u64 = 0x7465_6e72_6562_756b;
const ES: u16 = 0x7365;

/**
 * Scans the record from `start` to `to`, behind which a line feed stands. Where it is one, seven numbers of 32 bits at
 * the begin of the memory tell of it: offsets of the texts of `traceId` and `time`, begin and end, without their
 * quotation marks; whether it has a member `kubernetes`; seconds and nanoseconds of its time.
 */
export function scan(start: usize, to: usize): i32 {
  const from = bytes + start;
  const last = bytes + to - 1;
  if (load<u8>(from) !== 0x7b || load<u8>(last + 1) !== 0x0a) return NO_RECORD;

  let traceFrom: usize = 0;
  let traceTo: usize = 0;
  let timeFrom: usize = 0;
  let timeTo: usize = 0;
  let hasKubernetes: u32 = 0;
  let at = skipSpace(from + 1);
  while (true) {
    if (load<u8>(at) !== QUOTE) return NO_RECORD;
    const name = at + 1;
    const nameEnd = plainEnd(name);
    if (load<u8>(nameEnd) !== QUOTE) return NO_RECORD;
    const value = valueStart(nameEnd + 1);
    if (value === NONE) return NO_RECORD;
    const end = valueEnd(value, 1);
    if (end === NONE) return NO_RECORD;

    const length = nameEnd - name;
    if (length === 7 && (load<u64>(name) & 0x00ff_ffff_ffff_ffff) === TRACE_ID) {
      if (!isPlainText(value, end)) return NO_RECORD;
      traceFrom = value + 1;
      traceTo = end - 1;
    } else if (length === 4 && load<u32>(name) === TIME) {
      if (!isPlainText(value, end)) return NO_RECORD;
      timeFrom = value + 1;
      timeTo = end - 1;
    } else if (length === 10 && load<u64>(name) === KUBERNET && load<u16>(name + 8) === ES) {
      hasKubernetes = 1;
    }

    at = skipSpace(end);
    if (load<u8>(at) !== COMMA) break;
    at = skipSpace(at + 1);
  }
  if (load<u8>(at) !== CLOSING_BRACE || at !== last) return NO_RECORD;
  if (traceFrom === traceTo || timeFrom === 0) return NO_RECORD;
  store<u32>(0, traceFrom - bytes);
  store<u32>(4, traceTo - bytes);
  store<u32>(8, timeFrom - bytes);
  store<u32>(12, timeTo - bytes);
  store<u32>(16, hasKubernetes);
  return readTime(timeFrom, timeTo, 20) ? RECORD : TIME_UNREAD;
}

/** A text without escapes. */
function isPlainText(start: usize, end: usize): bool {
  return load<u8>(start) === QUOTE && plainEnd(start + 1) === end - 1;
}
