export type Stream = 'stdout' | 'stderr';

/** How a container runtime turns what a container prints into the bytes of its log file. */
export interface LineFormat {
  /** What is written to the file when the container prints `chunk`; a rest may be kept back. */
  output(stream: Stream, chunk: Buffer): Buffer;
  /** What is written of the rest when the output ends or the log is reopened. */
  flush(): Buffer;
  /** Whether the reopened file is made as `<name>.tmp` and renamed. */
  readonly reopensByRename: boolean;
}

export const streams: readonly Stream[] = ['stdout', 'stderr'];
export const lineFeed = 0x0a;
