import { type ByteSlice, sliceOfAll } from '../util/byte-slice.ts';
import type { DecodedLine } from './cri-line.ts';

/**
 * Decodes a line of Docker's json-file driver: `{"log":"…\n","stream":"stdout","time":"…"}`. The content is
 * complete where `log` ends with LF; Docker cuts longer lines into pieces of 16 KiB without one.
 *
 * @param line without the final LF.
 * @returns undefined where the line has not this form.
 */
export function decodeDockerLine({ bytes, from, to }: ByteSlice): DecodedLine | undefined {
  let entry: { log?: unknown; stream?: unknown } | null;
  try {
    entry = JSON.parse(bytes.toString('utf8', from, to)) as typeof entry;
  } catch {
    return undefined; // Not this format: the caller counts the line as not_json.
  }
  if (typeof entry?.log !== 'string' || (entry.stream !== 'stdout' && entry.stream !== 'stderr'))
    return undefined;
  const full = entry.log.endsWith('\n');
  const log = full ? entry.log.slice(0, -1) : entry.log;
  return { stream: entry.stream, partial: !full, ...sliceOfAll([Buffer.from(log, 'utf8')]) };
}
