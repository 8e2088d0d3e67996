import type { FileTail } from './file-tail.ts';

/** Longer than the longest time of a CRI line; and than most lines of Docker's, whose time comes last. */
const criTime = Buffer.allocUnsafeSlow(48);
const dockerLine = Buffer.allocUnsafeSlow(32 * 1024);

/**
 * When the oldest byte that is not read was written, in milliseconds since 1970; undefined where all is read. Its
 * line's own time tells; where that cannot be had (a compressed file, a line that is none), the file's last
 * change does, which is later.
 */
export function unreadSince(files: readonly FileTail[]): number | undefined {
  const file = files.find(({ behind }) => behind > 0);
  return file && (lineTime(file) ?? file.stat.mtimeMs);
}

function lineTime(file: FileTail): number | undefined {
  const head = file.peek(criTime);
  if (head === undefined) return undefined;
  const text = head.startsWith('{')
    ? /"time":"([^"]+)"\}\r?\n/.exec(file.peek(dockerLine) ?? '')?.[1]
    : head.slice(0, Math.max(0, head.indexOf(' ')));
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? undefined : time;
}
