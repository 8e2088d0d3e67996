/**
 * The bytes `from` to `to` (without it) of a buffer. A view of its own (`subarray`) for each line, name and value
 * would take longer to make than the line takes to read.
 */
export interface ByteSlice {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
}

export const LINE_FEED = 0x0a;

/** All of the text, with a line feed behind it, as behind a line of a file. @param latin1 one character a byte. */
export function sliceOf(latin1: string): ByteSlice {
  return sliceOfAll([Buffer.from(latin1, 'latin1')]);
}

/** The parts in one piece, with a line feed behind them, as behind a line of a file. */
export function sliceOfAll(parts: readonly Buffer[]): ByteSlice {
  const bytes = Buffer.concat([...parts, lineFeed]);
  return { bytes, from: 0, to: bytes.length - 1 };
}

/** One character a byte. */
export function latin1Of({ bytes, from, to }: ByteSlice): string {
  return bytes.toString('latin1', from, to);
}

/** A copy for long: what `Buffer.from` makes of few bytes pins the 64 KiB of Node's pool that it is cut from. */
export function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}

/** A view of the same bytes. */
export function viewOf({ bytes, from, to }: ByteSlice): Buffer {
  return bytes.subarray(from, to);
}

/** Whether the text, of ASCII, stands at this place of the bytes. */
export function standsAt(bytes: Buffer, at: number, text: Buffer): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false;
  return true;
}

const lineFeed = Buffer.from([LINE_FEED]);
