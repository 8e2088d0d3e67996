import { statSync } from 'node:fs';
import { type Listing, listLogs } from './list-logs.ts';

/** The directory of one container. */
export class LogDirectory {
  readonly #path: string;
  readonly #allowedRoots: () => readonly string[];
  /** Directories of symlinks' targets at the last listing. */
  #targets: readonly string[] = [];
  /** It did not exist at the last listing. */
  gone = false;

  constructor(path: string, allowedRoots: () => readonly string[]) {
    this.#path = path;
    this.#allowedRoots = allowedRoots;
  }

  /** What is there; nothing where the directory is gone. @throws where it cannot be listed just now. */
  list(): Listing {
    const listing = this.#listing();
    this.#targets = listing.targets;
    return listing;
  }

  /** When names last changed in the directory and where symlinks lead to, in milliseconds since 1970. */
  changeTimes(): number[] {
    const times = [changeTime(this.#path)];
    for (const target of this.#targets) times.push(changeTime(target));
    return times;
  }

  #listing(): Listing {
    try {
      const listing = listLogs(this.#path, this.#allowedRoots());
      this.gone = false;
      return listing;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      this.gone = true;
      return { entries: [], refusals: [], targets: [] };
    }
  }
}

function changeTime(directory: string): number {
  return statSync(directory, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
