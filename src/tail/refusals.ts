import type { Logger } from 'pino';

export interface RefusalsOptions {
  readonly log: Logger;
  /** A file is not read, for this reason; told once for each path. */
  readonly onRefused: (reason: string) => void;
}

/** Files of a container that are not read because they must not be, or may not be: each is told once. */
export class Refusals {
  readonly #options: RefusalsOptions;
  readonly #told = new Set<string>();

  constructor(options: RefusalsOptions) {
    this.#options = options;
  }

  tell(path: string, reason: string, details: object): void {
    if (this.#told.has(path)) return;
    this.#told.add(path);
    const { log, onRefused } = this.#options;
    onRefused(reason);
    log.warn(
      { ...details, file: path, reason },
      'A log file is not read: it leads outside of the allowed directories, or may not be opened.',
    );
  }
}
