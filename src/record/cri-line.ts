import { type ByteSlice, standsAt } from '../util/byte-slice.ts';

/** One line of a log file, decoded: its bytes are what a container wrote, or a part of it. */
export interface DecodedLine extends ByteSlice {
  readonly stream: Stream;
  /** More of the same line of the container follows in the next fragment of the stream. */
  readonly partial: boolean;
}

export type Stream = 'stdout' | 'stderr';

const SPACE = 0x20;
const STDOUT = Buffer.from('stdout ');
const STDERR = Buffer.from('stderr ');

/**
 * Decodes `<RFC 3339 time> <stdout|stderr> <tags> <content>`, the CRI's log format
 * (kubernetes/design-proposals-archive, node/kubelet-cri-logging.md). The time may have any width and zone.
 * Of the tags, separated by `:`, only the first counts: `P` is partial, anything else is full.
 *
 * @param line without the final LF.
 * @returns undefined where the line has not this form.
 */
export function decodeCriLine({ bytes, from, to }: ByteSlice): DecodedLine | undefined {
  const time = spaceFrom(bytes, from, to);
  // 20 characters is the shortest RFC 3339 time: 2026-11-23T05:30:57Z
  if (time - from < 20) return undefined;
  const tags = time + 8;
  if (tags >= to) return undefined;
  const stream = streamAt(bytes, time + 1);
  if (stream === undefined) return undefined;
  const end = spaceFrom(bytes, tags, to);
  if (end === tags) return undefined;
  const partial = bytes[tags] === 0x50 && (end === tags + 1 || bytes[tags + 1] === 0x3a);
  // A full line with no content may have lost its last space.
  return { stream, partial, bytes, from: Math.min(end + 1, to), to };
}

function streamAt(bytes: Buffer, at: number): Stream | undefined {
  if (standsAt(bytes, at, STDOUT)) return 'stdout';
  return standsAt(bytes, at, STDERR) ? 'stderr' : undefined;
}

/** The place of the next space, or `to`. */
function spaceFrom(bytes: Buffer, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] !== SPACE) at++;
  return at;
}
