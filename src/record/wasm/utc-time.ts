import { isDigit } from './grammar';

const SHORTEST: usize = 20; // YYYY-MM-DDThh:mm:ssZ
const MAX_FRACTION: usize = 9;

/**
 * Reads `YYYY-MM-DDThh:mm:ssZ`, with a fraction of one to nine digits or none. It only ever says yes: any other form of
 * RFC 3339, a year before 1970 or after 2099, and what is no time are false.
 *
 * @param target where two numbers of 32 bits are put: seconds since 1970, and nanoseconds, 0 to 999,999,999.
 */
export function readTime(from: usize, to: usize, target: usize): bool {
  if (to - from < SHORTEST || load<u8>(to - 1) !== 0x5a) return false;
  if (!has(from + 4, 0x2d) || !has(from + 7, 0x2d) || !has(from + 10, 0x54)) return false;
  if (!has(from + 13, 0x3a) || !has(from + 16, 0x3a)) return false;
  const year = number(from, 4);
  const month = number(from + 5, 2);
  const day = number(from + 8, 2);
  const hour = number(from + 11, 2);
  const minute = number(from + 14, 2);
  const second = number(from + 17, 2);
  if (year < 1970 || year > 2099 || month < 1 || month > 12 || day < 1 || day > daysIn(month, year))
    return false;
  // What is no number is negative, and as an unsigned one too large.
  if (<u32>hour > 23 || <u32>minute > 59 || <u32>second > 59) return false;
  const nanos = fraction(from + 19, to - 1);
  if (nanos < 0) return false;
  const days = daysBefore(month, year) + day - 1;
  store<u32>(target, <u32>days * 86_400 + hour * 3_600 + minute * 60 + second);
  store<u32>(target + 4, nanos);
  return true;
}

/** Nanoseconds in `.` and digits, or in nothing; -1 where they are not that. */
function fraction(from: usize, to: usize): i32 {
  if (from === to) return 0;
  const digits = to - from - 1;
  if (!has(from, 0x2e) || digits < 1 || digits > MAX_FRACTION) return -1;
  let nanos = number(from + 1, digits);
  if (nanos < 0) return -1;
  for (let i = digits; i < MAX_FRACTION; i++) nanos *= 10;
  return nanos;
}

/** Days from 1970 to the begin of a month. */
function daysBefore(month: i32, year: i32): i32 {
  // Years that begin in March have their leap day at the end; months then have 153 days in five.
  const y = month > 2 ? year : year - 1;
  const m = month > 2 ? month - 3 : month + 9;
  return y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 - DAYS_BEFORE_1970;
}

/** From 1 March of the year 0 to 1 January 1970. */
const DAYS_BEFORE_1970: i32 = 719_468;

function daysIn(month: i32, year: i32): i32 {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function isLeap(year: i32): bool {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function has(at: usize, byte: u8): bool {
  return load<u8>(at) === byte;
}

/** So many digits; -1 where they are none. */
function number(at: usize, digits: usize): i32 {
  let value = 0;
  for (let i: usize = 0; i < digits; i++) {
    const byte = load<u8>(at + i);
    if (!isDigit(byte)) return -1;
    value = 10 * value + (byte - 0x30);
  }
  return value;
}
