const ZERO = 0x30;
const HEX_DIGITS = Buffer.from('0123456789abcdef');

/** Puts the last so many decimal digits of a number below 2^31. Returns the place behind them. */
export function putDigits(target: Buffer, at: number, count: number, value: number): number {
  let left = value | 0;
  for (let i = at + count - 1; i >= at; i--) {
    const tenth = (left / 10) | 0;
    target[i] = ZERO + left - 10 * tenth;
    left = tenth;
  }
  return at + count;
}

/** Puts the six hexadecimal digits of a number below 2^24. Returns the place behind them. */
export function putSixHexDigits(target: Buffer, at: number, value: number): number {
  for (let i = 0; i < 6; i++) target[at + i] = HEX_DIGITS[(value >>> (20 - 4 * i)) & 15]!;
  return at + 6;
}
