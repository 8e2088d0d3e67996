import type { DecodedLine } from './cri-line.ts';

/**
 * Decodes a line of Docker's json-file driver: `{"log":"…\n","stream":"stdout","time":"…"}`. The content is
 * complete where `log` ends with LF; Docker cuts longer lines into pieces of 16 KiB without one.
 *
 * @param line one character a byte, without the final LF.
 * @returns undefined where the line has not this form.
 */
export function decodeDockerLine(line: string): DecodedLine | undefined {
  let entry: { log?: unknown; stream?: unknown } | null;
  try {
    entry = JSON.parse(Buffer.from(line, 'latin1').toString('utf8')) as typeof entry;
  } catch {
    return undefined; // Not this format: the caller counts the line as not_json.
  }
  if (typeof entry?.log !== 'string' || (entry.stream !== 'stdout' && entry.stream !== 'stderr'))
    return undefined;
  const full = entry.log.endsWith('\n');
  const log = full ? entry.log.slice(0, -1) : entry.log;
  return { stream: entry.stream, partial: !full, content: Buffer.from(log, 'utf8').toString('latin1') };
}
