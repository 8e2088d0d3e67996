import { rfc3339Nano, type Clock } from './clock.ts';
import { lineFeed, streams, type LineFormat, type Stream } from './line-format.ts';

const carriageReturn = 0x0d;

export interface ContainerdOptions {
  readonly clock: Clock;
  /** Content longer than this is split, in bytes; containerd's `max_container_log_line_size`. Default 16,384. */
  readonly maxLineBytes?: number;
  /** The zone of the process that writes. */
  readonly utcOffsetMinutes?: number;
}

/**
 * Lines as containerd writes them (containerd/containerd internal/cri/io/logger.go `redirectLogs`): a line is
 * cut where it exceeds the limit, wherever that is in a character; `\r\n` ends a line like `\n`; what has no
 * end yet is kept back, and written as a partial line when the output ends or the log is reopened.
 */
export function containerdFormat(options: ContainerdOptions): LineFormat {
  const { clock, maxLineBytes = 16_384, utcOffsetMinutes = 0 } = options;
  const rests: Record<Stream, Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };

  const line = (stream: Stream, tag: 'P' | 'F', content: Buffer) => [
    Buffer.from(`${rfc3339Nano(clock(), utcOffsetMinutes)} ${stream} ${tag} `),
    content,
    Buffer.from('\n'),
  ];
  /** Partial lines while more than `most` bytes are left, and the rest. */
  const cut = (stream: Stream, content: Buffer, most: number): { parts: Buffer[]; rest: Buffer } => {
    const parts: Buffer[] = [];
    let rest = content;
    while (rest.length > most) {
      parts.push(...line(stream, 'P', rest.subarray(0, maxLineBytes)));
      rest = rest.subarray(maxLineBytes);
    }
    return { parts, rest };
  };

  return {
    reopensByRename: false,
    output(stream, chunk) {
      const out: Buffer[] = [];
      let text = Buffer.concat([rests[stream], chunk]);
      for (let end = text.indexOf(lineFeed); end >= 0; end = text.indexOf(lineFeed)) {
        const ended = text.subarray(0, text[end - 1] === carriageReturn ? end - 1 : end);
        const { parts, rest } = cut(stream, ended, maxLineBytes);
        out.push(...parts, ...line(stream, 'F', rest));
        text = text.subarray(end + 1);
      }
      // One byte more may be the `\r` of a line end that belongs to no content.
      const { parts, rest } = cut(stream, text, maxLineBytes + 1);
      rests[stream] = Buffer.from(rest);
      return Buffer.concat([...out, ...parts]);
    },
    flush() {
      const out: Buffer[] = [];
      for (const stream of streams) {
        if (rests[stream].length === 0) continue;
        const { parts, rest } = cut(stream, rests[stream], maxLineBytes);
        out.push(...parts, ...line(stream, 'P', rest));
        rests[stream] = Buffer.alloc(0);
      }
      return Buffer.concat(out);
    },
  };
}
