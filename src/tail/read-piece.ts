import { readSync } from 'node:fs';

/** Bytes read at once; a record that waits keeps the piece that it was read with. */
export const PIECE_BYTES = 64 * 1024;

/**
 * The next bytes of a plain file, in memory of their own and of their size: a record may keep them for as long as
 * the store is down. Through the thread pool a piece would cost 40 µs more than all the rest of its way.
 *
 * @param most more than 0.
 * @returns undefined at the end that the file has now.
 */
export function readPiece(fd: number, position: number, most: number): Buffer | undefined {
  const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, most));
  const length = readSync(fd, piece, 0, piece.length, position);
  return length === 0 ? undefined : piece.subarray(0, length);
}
