import { type ByteSlice, LINE_FEED, standsAt } from '../util/byte-slice.ts';

/**
 * What makes a JSON object a record: the places of its two members' texts, without their quotation marks. Numbers
 * and no slices, since this is made of each line.
 */
export interface ScannedRecord {
  readonly traceFrom: number;
  readonly traceTo: number;
  readonly timeFrom: number;
  readonly timeTo: number;
  readonly hasKubernetes: boolean;
}

/** What is nested deeper is left to JSON.parse. */
const MAX_DEPTH = 32;

const NONE = -1;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const TRACE_ID = Buffer.from('traceId');
const TIME = Buffer.from('time');
const KUBERNETES = Buffer.from('kubernetes');

/** What JSON has between quotation marks as it is: all but control characters, `"` and `\`. */
const PLAIN = table((byte) => byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH);
const DIGIT = table((byte) => byte >= 0x30 && byte <= 0x39);
const HEX = table((byte) => /[\da-f]/i.test(String.fromCharCode(byte)));
const ESCAPED = table((byte) => '"\\/bfnrt'.includes(String.fromCharCode(byte)));
/** Without the line feed, which stands behind the record. */
const SPACE = table((byte) => ' \t\r'.includes(String.fromCharCode(byte)));

/** What is scanned. Behind its end stands a line feed, which is no part of any token: every loop ends there. */
let text: Buffer = Buffer.alloc(0);

/**
 * Reads a usual record without making a value of each member, in a third of the time that JSON.parse takes: its
 * grammar is checked whole, and the two members that matter are cut out.
 *
 * It only ever says yes. What is unusual in any way (an escape in a name or in one of the two members, another
 * type, white space around, a line feed within, great depth) gives undefined, and so does what is no JSON: then
 * JSON.parse decides. Of a member that is there twice the last counts, as with JSON.parse.
 */
export function scanRecord({ bytes, from, to }: ByteSlice): ScannedRecord | undefined {
  if (bytes[from] !== 0x7b || bytes[to] !== LINE_FEED) return undefined;
  text = bytes;

  let traceFrom = NONE;
  let traceTo = NONE;
  let timeFrom = NONE;
  let timeTo = NONE;
  let hasKubernetes = false;
  let at = skipSpace(from + 1);
  for (;;) {
    if (text[at] !== QUOTE) return undefined;
    const name = at + 1;
    const nameEnd = plainEnd(name);
    if (text[nameEnd] !== QUOTE) return undefined;
    const start = valueStart(nameEnd + 1);
    if (start === NONE) return undefined;
    const end = valueEnd(start, 1);
    if (end === NONE) return undefined;

    const nameLength = nameEnd - name;
    if (nameLength === 7 && standsAt(bytes, name, TRACE_ID)) {
      if (!isPlainText(start, end)) return undefined;
      traceFrom = start + 1;
      traceTo = end - 1;
    } else if (nameLength === 4 && standsAt(bytes, name, TIME)) {
      if (!isPlainText(start, end)) return undefined;
      timeFrom = start + 1;
      timeTo = end - 1;
    } else if (nameLength === 10 && standsAt(bytes, name, KUBERNETES)) {
      hasKubernetes = true;
    }

    at = skipSpace(end);
    if (text[at] !== COMMA) break;
    at = skipSpace(at + 1);
  }
  if (text[at] !== 0x7d || at !== to - 1) return undefined;
  if (traceFrom === traceTo || timeFrom === NONE) return undefined;
  return { traceFrom, traceTo, timeFrom, timeTo, hasKubernetes };
}

/** A text without escapes. */
function isPlainText(start: number, end: number): boolean {
  return text[start] === QUOTE && plainEnd(start + 1) === end - 1;
}

// Each of these takes the offset where something begins and returns the offset behind it, or NONE.

function valueEnd(at: number, depth: number): number {
  switch (text[at]) {
    case QUOTE:
      return stringEnd(at + 1);
    case 0x7b: // {
      return depth < MAX_DEPTH ? objectEnd(at + 1, depth + 1) : NONE;
    case 0x5b: // [
      return depth < MAX_DEPTH ? arrayEnd(at + 1, depth + 1) : NONE;
    case 0x74: // t
      return text[at + 1] === 0x72 && text[at + 2] === 0x75 && text[at + 3] === 0x65 ? at + 4 : NONE;
    case 0x66: // f
      return text[at + 1] === 0x61 && text[at + 2] === 0x6c && text[at + 3] === 0x73 && text[at + 4] === 0x65
        ? at + 5
        : NONE;
    case 0x6e: // n
      return text[at + 1] === 0x75 && text[at + 2] === 0x6c && text[at + 3] === 0x6c ? at + 4 : NONE;
    default:
      return numberEnd(at);
  }
}

function objectEnd(begin: number, depth: number): number {
  let at = skipSpace(begin);
  if (text[at] === 0x7d) return at + 1;
  for (;;) {
    if (text[at] !== QUOTE) return NONE;
    const name = stringEnd(at + 1);
    if (name === NONE) return NONE;
    const start = valueStart(name);
    if (start === NONE) return NONE;
    const end = valueEnd(start, depth);
    if (end === NONE) return NONE;
    at = skipSpace(end);
    if (text[at] === 0x7d) return at + 1;
    if (text[at] !== COMMA) return NONE;
    at = skipSpace(at + 1);
  }
}

function arrayEnd(begin: number, depth: number): number {
  let at = skipSpace(begin);
  if (text[at] === 0x5d) return at + 1;
  for (;;) {
    const end = valueEnd(at, depth);
    if (end === NONE) return NONE;
    at = skipSpace(end);
    if (text[at] === 0x5d) return at + 1;
    if (text[at] !== COMMA) return NONE;
    at = skipSpace(at + 1);
  }
}

/** From behind a name to the begin of its value. */
function valueStart(begin: number): number {
  const at = skipSpace(begin);
  return text[at] === COLON ? skipSpace(at + 1) : NONE;
}

function stringEnd(begin: number): number {
  for (let at = plainEnd(begin); ; at = plainEnd(at)) {
    if (text[at] === QUOTE) return at + 1;
    if (text[at] !== BACKSLASH) return NONE;
    if (ESCAPED[text[at + 1]!] === 1) at += 2;
    else if (text[at + 1] === 0x75 && isHex4(at + 2)) at += 6;
    else return NONE;
  }
}

function isHex4(at: number): boolean {
  return (HEX[text[at]!]! & HEX[text[at + 1]!]! & HEX[text[at + 2]!]! & HEX[text[at + 3]!]!) === 1;
}

function numberEnd(begin: number): number {
  let at = text[begin] === 0x2d ? begin + 1 : begin;
  if (text[at] === 0x30) at++;
  else if ((at = digitsEnd(at)) === NONE) return NONE;
  if (text[at] === 0x2e && (at = digitsEnd(at + 1)) === NONE) return NONE;
  if (text[at] !== 0x65 && text[at] !== 0x45) return at;
  const sign = text[at + 1];
  return digitsEnd(sign === 0x2b || sign === 0x2d ? at + 2 : at + 1);
}

/** At least one. */
function digitsEnd(begin: number): number {
  let at = begin;
  while (DIGIT[text[at]!] === 1) at++;
  return at === begin ? NONE : at;
}

/** Four bytes a turn, since most of a record is text: an eighth less time for all of the scan. */
function plainEnd(begin: number): number {
  for (let at = begin; ; at += 4) {
    if (PLAIN[text[at]!] !== 1) return at;
    if (PLAIN[text[at + 1]!] !== 1) return at + 1;
    if (PLAIN[text[at + 2]!] !== 1) return at + 2;
    if (PLAIN[text[at + 3]!] !== 1) return at + 3;
  }
}

function skipSpace(begin: number): number {
  let at = begin;
  while (SPACE[text[at]!] === 1) at++;
  return at;
}

function table(has: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (has(byte) ? 1 : 0));
}
