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

  /** Something that is there is not read, as told since `begin`. */
  stand = false;

  constructor(options: RefusalsOptions) {
    this.#options = options;
  }

  /** The directory is listed anew. */
  begin(): void {
    this.stand = false;
  }

  tell(path: string, reason: string, details: object): void {
    // There is nothing to be read where a link leads nowhere.
    if (reason !== 'symlink_broken') this.stand = true;
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
