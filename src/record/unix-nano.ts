import { standsAt } from '../util/byte-slice.ts';

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;
const DAYS_IN_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * An RFC 3339 time with a zone as nanoseconds since 1970-01-01T00:00:00Z, in decimal digits: they exceed what a
 * number holds. Digits of the fraction beyond the ninth are cut off.
 *
 * @returns undefined for what is no such time, is before 1970, or does not exist (30 February, 24:00, the
 *   second :60, which Go refuses too).
 */
export function unixNano(time: string): string | undefined {
  const match = RFC3339.exec(time);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', sign, zoneHour = '0', zoneMinute = '0'] =
    match;
  if (!inRange(month, 1, 12) || !inRange(day, 1, DAYS_IN_MONTH[Number(month) - 1]!)) return undefined;
  if (!inRange(hour, 0, 23) || !inRange(minute, 0, 59) || !inRange(second, 0, 59)) return undefined;
  if (!inRange(zoneHour, 0, 23) || !inRange(zoneMinute, 0, 59)) return undefined;
  const midnight = Date.UTC(Number(year), Number(month) - 1, Number(day));
  // Only 29 February of a year without one is left: it rolls over to March.
  if (Number(year) < 100 || new Date(midnight).getUTCDate() !== Number(day)) return undefined;
  const zone = (sign === '-' ? -1 : 1) * (Number(zoneHour) * 3600 + Number(zoneMinute) * 60);
  const seconds = midnight / 1000 + Number(hour) * 3600 + Number(minute) * 60 + Number(second) - zone;
  if (seconds < 0) return undefined;
  const nanos = fraction.slice(0, 9).padEnd(9, '0');
  return seconds === 0 ? String(Number(nanos)) : `${seconds}${nanos}`;
}

const ZERO = 0x30;
const PREFIX_LENGTH = 'YYYY-MM-DDThh:mm:ss.'.length;

/**
 * The same, remembering the last second: lines of one moment share all of their time but the fraction.
 * Only the form `YYYY-MM-DDThh:mm:ss.fffZ` takes the short way.
 */
export class UnixNanoReader {
  readonly #prefix = Buffer.allocUnsafeSlow(PREFIX_LENGTH);
  /** The digits of the second, and room for those of its fraction. */
  #digits: Buffer = Buffer.alloc(0);

  /** @returns what `unixNano` gives for the text from `from` to `to`. */
  read(bytes: Buffer, from: number, to: number): string | undefined {
    const fraction = from + PREFIX_LENGTH;
    const length = to - 1 - fraction;
    const short = length > 0 && length <= 9 && bytes[to - 1] === 0x5a && areDigits(bytes, fraction, to - 1);
    if (short && this.#digits.length > 0 && standsAt(bytes, from, this.#prefix)) {
      const start = this.#digits.length - 9;
      for (let i = 0; i < 9; i++) this.#digits[start + i] = i < length ? bytes[fraction + i]! : ZERO;
      return this.#digits.toString('latin1');
    }
    const nano = unixNano(bytes.toString('latin1', from, to));
    if (short && nano !== undefined && nano.length > 9) {
      bytes.copy(this.#prefix, 0, from, fraction);
      if (this.#digits.length !== nano.length) this.#digits = Buffer.allocUnsafeSlow(nano.length);
      this.#digits.write(nano, 'latin1');
    }
    return nano;
  }
}

function areDigits(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at]! < 0x30 || bytes[at]! > 0x39) return false;
  return true;
}

function inRange(digits: string | undefined, least: number, most: number): boolean {
  const value = Number(digits);
  return value >= least && value <= most;
}
