import { hash } from 'node:crypto';
import { readSync } from 'node:fs';
import { constants, gunzipSync } from 'node:zlib';
import { copyOf } from '../util/byte-slice.ts';

/**
 * Of a file's first line at most this much makes its fingerprint, in bytes. Longer than a line of any runtime:
 * Docker's 16 KiB of content may be 96 KiB of JSON, and its time stands at the end.
 */
const FINGERPRINT_BYTES = 128 * 1024;
const PIECE = 4096;

/** What tells a log file from every other, whatever its name, inode or compression. */
export interface Fingerprint {
  /** 16 hexadecimal digits, from the container's directory and the file's first line. */
  readonly fileId: string;
  /** So many bytes of the file made it. */
  readonly length: number;
  /** Those bytes, where they are few enough to be kept. */
  readonly firstLine: Buffer | undefined;
}

/** First lines up to this length are compared as they are, and not by their digest, in bytes. */
const KEPT_BYTES = 4096;
const scratch = Buffer.allocUnsafeSlow(KEPT_BYTES);

/**
 * Fingerprints an open file by its first line, which begins with a time in nanoseconds (CRI) or ends with one
 * (Docker): all but unique, and the same in a renamed, copied or compressed file.
 *
 * @param scope the container's key; two containers' files with the same first line are not the same file.
 * @param whole the file will not grow: its only, unterminated line is taken as it is.
 * @returns undefined while the file has no complete first line.
 * @throws what reading the file throws.
 */
export function fingerprint(
  fd: number,
  compressed: boolean,
  scope: string,
  whole = false,
): Fingerprint | undefined {
  const { head, ended } = compressed ? unzippedHead(fd) : { head: plainHead(fd), ended: false };
  const lineFeed = head.indexOf(0x0a);
  const complete = lineFeed >= 0 || head.length >= FINGERPRINT_BYTES || ((whole || ended) && head.length > 0);
  if (!complete) return undefined;
  const first = head.subarray(0, lineFeed >= 0 ? lineFeed : FINGERPRINT_BYTES);
  const firstLine = first.length <= KEPT_BYTES ? copyOf(first) : undefined;
  return { fileId: digest(scope, first), length: first.length, firstLine };
}

/** Whether the file still begins with the line that made the fingerprint: if not, it was truncated or replaced. */
export function stillBegins(fd: number, { fileId, length, firstLine }: Fingerprint, scope: string): boolean {
  if (firstLine !== undefined) {
    return (
      readFully(fd, scratch, length) === length && scratch.compare(firstLine, 0, length, 0, length) === 0
    );
  }
  const first = Buffer.allocUnsafe(length);
  return readFully(fd, first) === length && digest(scope, first) === fileId;
}

function digest(scope: string, firstLine: Buffer): string {
  return hash('sha256', Buffer.concat([Buffer.from(`${scope}\n`), firstLine]), 'hex').slice(0, 16);
}

function plainHead(fd: number): Buffer {
  for (let size = PIECE; ; size = Math.min(size * 4, FINGERPRINT_BYTES)) {
    const head = Buffer.allocUnsafe(size);
    const length = readFully(fd, head);
    if (length < size || size === FINGERPRINT_BYTES || head.includes(0x0a)) return head.subarray(0, length);
  }
}

/** `ended`: the file is whole, so that even a line without an end is one. */
function unzippedHead(fd: number): { head: Buffer; ended: boolean } {
  for (let size = PIECE; ; size *= 4) {
    const zipped = Buffer.allocUnsafe(size);
    const length = readFully(fd, zipped);
    if (length === 0) return { head: zipped.subarray(0, 0), ended: false };
    // What is there of the stream is enough; an end that is missing is no error here.
    const head = gunzipSync(zipped.subarray(0, length), { finishFlush: constants.Z_SYNC_FLUSH });
    if (head.length >= FINGERPRINT_BYTES || head.includes(0x0a)) return { head, ended: false };
    if (length < size) return { head, ended: isWhole(zipped.subarray(0, length)) };
  }
}

function isWhole(zipped: Buffer): boolean {
  try {
    gunzipSync(zipped);
    return true;
  } catch {
    return false; // Its end is missing: still being written, maybe.
  }
}

/** Reads from the file's begin until there are `most` bytes or the file ends; returns their number. */
function readFully(fd: number, into: Buffer, most = into.length): number {
  let length = 0;
  while (length < most) {
    const bytes = readSync(fd, into, length, most - length, length);
    if (bytes === 0) break;
    length += bytes;
  }
  return length;
}
