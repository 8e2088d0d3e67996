import { rfc3339NineDigits, type Clock } from '../../../src/demo/clock.ts';
import { lineFeed, type LineFormat } from '../../../src/demo/line-format.ts';

export interface ConmonOptions {
  readonly clock: Clock;
  /** Most bytes of one read of the container's pipe. Default 8,192. */
  readonly readBytes?: number;
  readonly utcOffsetMinutes?: number;
}

/**
 * Lines as conmon writes them for CRI-O and podman (containers/conmon src/ctr_logging.c `write_k8s_log`): what a
 * read of the pipe brought is written at once, and what has no line end yet as a partial line, so that a line
 * whose end comes alone ends in a full line without content. Nothing is kept back, and `\r` is content.
 */
export function conmonFormat({ clock, readBytes = 8_192, utcOffsetMinutes = 0 }: ConmonOptions): LineFormat {
  return {
    reopensByRename: true,
    output(stream, chunk) {
      const out: Buffer[] = [];
      for (let at = 0; at < chunk.length; at += readBytes) {
        let read = chunk.subarray(at, at + readBytes);
        const head = `${rfc3339NineDigits(clock(), utcOffsetMinutes)} ${stream} `;
        while (read.length > 0) {
          const end = read.indexOf(lineFeed);
          const content = end < 0 ? read : read.subarray(0, end);
          out.push(Buffer.from(`${head}${end < 0 ? 'P' : 'F'} `), content, Buffer.from('\n'));
          read = read.subarray(end < 0 ? read.length : end + 1);
        }
      }
      return Buffer.concat(out);
    },
    flush: () => Buffer.alloc(0),
  };
}
