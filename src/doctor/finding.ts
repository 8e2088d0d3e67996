import type { Config } from '../config/config.ts';
import type { ApiClient } from '../pods/api-request.ts';

/** What one check found. */
export interface Finding {
  readonly status:
    | 'ok'
    /** It works, and may not for long. */
    | 'warn'
    | 'fail'
    /** It cannot be told from here. */
    | 'skip';
  /** What was looked at: `POD_LOG_DIR`, `etcd`. */
  readonly what: string;
  /** What was found. */
  readonly found: string;
  /** What to do about it; empty where nothing is to be done. */
  readonly todo: string;
}

export interface CheckContext {
  readonly config: Config;
  /** Of the Kubernetes API; undefined with POD_SOURCE=directory. */
  readonly api: Api | undefined;
  /** Aborts when the check may take no longer. */
  readonly signal: AbortSignal;
  /** Where the kernel tells of itself. */
  readonly procDir: string;
  readonly kubeletConfigPath: string;
}

/** The way to the API, or why there is none. */
export type Api =
  | { readonly client: ApiClient; readonly server: string }
  | { readonly client?: undefined; readonly trouble: string };

/** Looks after one thing; may find several. What it throws is a failure of what it looked at. */
export type Check = (context: CheckContext) => Promise<readonly Finding[]>;

export const ok = (what: string, found: string): Finding => ({ status: 'ok', what, found, todo: '' });
export const warn = (what: string, found: string, todo: string): Finding => ({
  status: 'warn',
  what,
  found,
  todo,
});
export const fail = (what: string, found: string, todo: string): Finding => ({
  status: 'fail',
  what,
  found,
  todo,
});
export const skip = (what: string, found: string, todo = ''): Finding => ({
  status: 'skip',
  what,
  found,
  todo,
});

export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  return error.message === '' && 'code' in error ? String(error.code) : error.message;
}
