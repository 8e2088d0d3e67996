// JSON's grammar (RFC 8259) over bytes in WebAssembly's memory. Each function takes the address where something begins
// and returns the address behind it, or NONE. A line feed is no part of any token and stands behind the record, so
// every loop ends there, and what the memory holds behind it counts for nothing.

export const NONE: usize = 0;
export const QUOTE: u8 = 0x22;
export const COMMA: u8 = 0x2c;
export const CLOSING_BRACE: u8 = 0x7d;

const BACKSLASH: u8 = 0x5c;
const COLON: u8 = 0x3a;
const CLOSING_BRACKET: u8 = 0x5d;
/** What is nested deeper is left to JSON.parse. */
const MAX_DEPTH: i32 = 32;

/** Where the next control character, `"` or `\` is: JSON has all others between quotation marks as they are. */
export function plainEnd(begin: usize): usize {
  let at = begin;
  // Sixteen bytes a turn, since most of a record is text.
  while (true) {
    const bytes = v128.load(at);
    const special = v128.or(
      v128.or(i8x16.eq(bytes, i8x16.splat(0x22)), i8x16.eq(bytes, i8x16.splat(0x5c))),
      i8x16.lt_u(bytes, i8x16.splat(0x20)),
    );
    const mask = i8x16.bitmask(special);
    if (mask !== 0) return at + ctz(mask);
    at += 16;
  }
}

export function skipSpace(begin: usize): usize {
  let at = begin;
  while (load<u8>(at) <= 0x20 && isSpace(load<u8>(at))) at++;
  return at;
}

/** From behind a name to the begin of its value. */
export function valueStart(begin: usize): usize {
  const at = skipSpace(begin);
  return load<u8>(at) === COLON ? skipSpace(at + 1) : NONE;
}

/** @param depth of objects and lists around it. */
export function valueEnd(at: usize, depth: i32): usize {
  switch (load<u8>(at)) {
    case QUOTE:
      return stringEnd(at + 1);
    case 0x7b: // {
      return depth < MAX_DEPTH ? objectEnd(at + 1, depth + 1) : NONE;
    case 0x5b: // [
      return depth < MAX_DEPTH ? arrayEnd(at + 1, depth + 1) : NONE;
    case 0x74: // «true», as the processor reads four bytes: the last one first
      return load<u32>(at) === 0x65757274 ? at + 4 : NONE;
    case 0x66: // f«alse»
      return load<u32>(at + 1) === 0x65736c61 ? at + 5 : NONE;
    case 0x6e: // «null»
      return load<u32>(at) === 0x6c6c756e ? at + 4 : NONE;
    default:
      return numberEnd(at);
  }
}

function objectEnd(begin: usize, depth: i32): usize {
  let at = skipSpace(begin);
  if (load<u8>(at) === CLOSING_BRACE) return at + 1;
  while (true) {
    if (load<u8>(at) !== QUOTE) return NONE;
    const name = stringEnd(at + 1);
    if (name === NONE) return NONE;
    const start = valueStart(name);
    if (start === NONE) return NONE;
    const end = valueEnd(start, depth);
    if (end === NONE) return NONE;
    at = skipSpace(end);
    if (load<u8>(at) === CLOSING_BRACE) return at + 1;
    if (load<u8>(at) !== COMMA) return NONE;
    at = skipSpace(at + 1);
  }
}

function arrayEnd(begin: usize, depth: i32): usize {
  let at = skipSpace(begin);
  if (load<u8>(at) === CLOSING_BRACKET) return at + 1;
  while (true) {
    const end = valueEnd(at, depth);
    if (end === NONE) return NONE;
    at = skipSpace(end);
    if (load<u8>(at) === CLOSING_BRACKET) return at + 1;
    if (load<u8>(at) !== COMMA) return NONE;
    at = skipSpace(at + 1);
  }
}

function stringEnd(begin: usize): usize {
  let at = plainEnd(begin);
  while (load<u8>(at) !== QUOTE) {
    if (load<u8>(at) !== BACKSLASH) return NONE;
    const escape = load<u8>(at + 1);
    if (isShortEscape(escape)) at += 2;
    else if (escape === 0x75 && isHex4(at + 2)) at += 6;
    else return NONE;
    at = plainEnd(at);
  }
  return at + 1;
}

function numberEnd(begin: usize): usize {
  let at = load<u8>(begin) === 0x2d ? begin + 1 : begin;
  if (load<u8>(at) === 0x30) at++;
  else if ((at = digitsEnd(at)) === NONE) return NONE;
  if (load<u8>(at) === 0x2e && (at = digitsEnd(at + 1)) === NONE) return NONE;
  if ((load<u8>(at) | 0x20) !== 0x65) return at; // e, E
  const sign = load<u8>(at + 1);
  return digitsEnd(sign === 0x2b || sign === 0x2d ? at + 2 : at + 1);
}

/** At least one. */
function digitsEnd(begin: usize): usize {
  let at = begin;
  while (isDigit(load<u8>(at))) at++;
  return at === begin ? NONE : at;
}

export function isDigit(byte: u8): bool {
  return <u8>(byte - 0x30) <= 9;
}

function isHex4(at: usize): bool {
  return isHex(load<u8>(at)) && isHex(load<u8>(at + 1)) && isHex(load<u8>(at + 2)) && isHex(load<u8>(at + 3));
}

function isHex(byte: u8): bool {
  return isDigit(byte) || <u8>((byte | 0x20) - 0x61) <= 5;
}

/** One of `"\/bfnrt`. */
function isShortEscape(byte: u8): bool {
  switch (byte) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return true;
    default:
      return false;
  }
}

/** Without the line feed, which stands behind the record. */
function isSpace(byte: u8): bool {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d;
}
