import type { Writable } from 'node:stream';
import type { Texts } from '../config/load-config.ts';

/** What a command may touch of its process. */
export interface Context {
  readonly env: Texts;
  /** Absolute. */
  readonly cwd: string;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Aborts when the process is asked to stop. */
  readonly signal: AbortSignal;
}

/** Standard output or error; `isTTY` where a person reads it. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };
