/** One line of a log file, decoded: what a container wrote, or a part of it. */
export interface DecodedLine {
  readonly stream: Stream;
  /** More of the same line of the container follows in the next fragment of the stream. */
  readonly partial: boolean;
  /** One character a byte (latin1). */
  readonly content: string;
}

export type Stream = 'stdout' | 'stderr';

/**
 * Decodes `<RFC 3339 time> <stdout|stderr> <tags> <content>`, the CRI's log format
 * (kubernetes/design-proposals-archive, node/kubelet-cri-logging.md). The time may have any width and zone.
 * Of the tags, separated by `:`, only the first counts: `P` is partial, anything else is full.
 *
 * @param line one character a byte, without the final LF.
 * @returns undefined where the line has not this form.
 */
export function decodeCriLine(line: string): DecodedLine | undefined {
  const time = line.indexOf(' ');
  // 20 characters is the shortest RFC 3339 time: 2026-11-23T05:30:57Z
  if (time < 20) return undefined;
  const stream = streamAt(line, time + 1);
  if (stream === undefined) return undefined;
  const tags = time + 8;
  if (line.charCodeAt(tags) === 0x46 && line.charCodeAt(tags + 1) === 0x20) {
    return { stream, partial: false, content: line.slice(tags + 2) };
  }
  const end = line.indexOf(' ', tags);
  // A full line with no content may have lost its last space.
  const tag = end < 0 ? line.slice(tags) : line.slice(tags, end);
  if (tag === '') return undefined;
  return {
    stream,
    partial: tag === 'P' || tag.startsWith('P:'),
    content: end < 0 ? '' : line.slice(end + 1),
  };
}

function streamAt(line: string, at: number): Stream | undefined {
  if (line.startsWith('stdout ', at)) return 'stdout';
  return line.startsWith('stderr ', at) ? 'stderr' : undefined;
}
