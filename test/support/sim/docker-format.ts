import { rfc3339Nano, type Clock } from '../../../src/demo/clock.ts';
import { lineFeed, streams, type LineFormat, type Stream } from '../../../src/demo/line-format.ts';

export interface DockerOptions {
  readonly clock: Clock;
  /** Content longer than this is split, in bytes, the line end counted. Default 16,384. */
  readonly maxLineBytes?: number;
}

/**
 * Lines as Docker's json-file driver writes them (moby/moby daemon/logger/copier.go and jsonfilelog): `log` ends
 * with `\n` when the line is complete; bytes that are no valid UTF-8 become U+FFFD; the time is UTC.
 */
export function dockerFormat({ clock, maxLineBytes = 16_384 }: DockerOptions): LineFormat {
  const rests: Record<Stream, Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  const line = (stream: Stream, log: Buffer) =>
    `{"log":${goJsonString(log.toString('utf8'))},"stream":"${stream}","time":"${rfc3339Nano(clock())}"}\n`;

  return {
    reopensByRename: false,
    output(stream, chunk) {
      let out = '';
      let text = Buffer.concat([rests[stream], chunk]);
      for (;;) {
        const end = text.indexOf(lineFeed) + 1;
        if (end === 0 && text.length < maxLineBytes) break;
        const length = end > 0 && end <= maxLineBytes ? end : maxLineBytes;
        out += line(stream, text.subarray(0, length));
        text = text.subarray(length);
      }
      rests[stream] = Buffer.from(text);
      return Buffer.from(out);
    },
    flush() {
      let out = '';
      for (const stream of streams) {
        if (rests[stream].length > 0) out += line(stream, rests[stream]);
        rests[stream] = Buffer.alloc(0);
      }
      return Buffer.from(out);
    },
  };
}

/** A JSON string as Go's encoder writes it: safe inside HTML and JavaScript. */
function goJsonString(text: string): string {
  return JSON.stringify(text).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
