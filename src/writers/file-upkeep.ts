import { lstat, rename, rm, rmdir } from 'node:fs/promises';
import type { Log } from '../ops/log.ts';
import { repairEnd } from '../util/append-file.ts';
import { gzipDurably } from '../util/gzip-durably.ts';
import type { FileNames } from './file-names.ts';

export interface UpkeepOptions {
  readonly names: FileNames;
  readonly node: string;
  /** Compress what is written to no more, but the newest of it. */
  readonly gzip: boolean;
  /** What was last written to longer ago goes, in milliseconds; 0 keeps it. */
  readonly keepAgeMs: number;
  /** The oldest go until all together, with the one written to, take no more bytes; 0 keeps them. */
  readonly keepBytes: number;
  /** Told of a torn last line that was cut off, and how many bytes that was. */
  readonly onRepair: (path: string, bytes: number) => void;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

/** Compresses and removes files that are written to no more. */
export class FileUpkeep {
  readonly #options: UpkeepOptions;
  #running: Promise<void> | undefined;
  #again = false;
  #current = '';

  constructor(options: UpkeepOptions) {
    this.#options = options;
  }

  /**
   * Looks through the files in the background; a look that is asked for meanwhile is made after it.
   *
   * @param current the file that is written to.
   */
  look(current: string): void {
    this.#current = current;
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    this.#running = this.#lookUntilDone();
  }

  /** Resolves when this file is taken for the one written to. */
  async leave(path: string): Promise<void> {
    if (path !== this.#current) await this.rest();
    this.#current = path;
  }

  /** Resolves when nothing is under way. */
  async rest(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #lookUntilDone(): Promise<void> {
    do {
      this.#again = false;
      await this.#look(this.#current);
    } while (this.#again);
    this.#running = undefined;
  }

  /** Never rejects: what fails is tried at the next look. */
  async #look(current: string): Promise<void> {
    const { names, node, gzip, onRepair, log } = this.#options;
    try {
      for (const { path, rotated, compressed } of await names.list(node)) {
        if (rotated || compressed || path === current) continue;
        // Of another day, when no agent was there to rotate it: it was killed, maybe in the midst of a line.
        const { mtime } = await lstat(path);
        await repairEnd(path, (bytes) => onRepair(path, bytes));
        await rename(path, names.rotated(path, mtime));
      }
      if (gzip) {
        // The newest stays as it is: who reads a trace meanwhile may be in the middle of it.
        const plain = (await names.list(node)).filter(({ rotated }) => rotated).slice(0, -1);
        for (const { path, compressed } of plain) if (!compressed) await gzipDurably(path);
      }
      await this.#remove(current);
    } catch (err) {
      log.warn(
        { err, path: current },
        'Cannot compress or remove a file that was rotated; it is tried again',
      );
    }
  }

  async #remove(current: string): Promise<void> {
    const { names, node, keepAgeMs, keepBytes, log } = this.#options;
    if (keepAgeMs === 0 && keepBytes === 0) return;
    const files = await Promise.all(
      (await names.list(node)).map(async ({ path, rotated }) => ({ path, rotated, stat: await lstat(path) })),
    );
    let total = files.reduce((sum, { stat: { size } }) => sum + size, 0);
    for (const {
      path,
      rotated,
      stat: { size, mtimeMs },
    } of files) {
      if (!rotated) continue;
      const old = keepAgeMs > 0 && Date.now() - mtimeMs > keepAgeMs;
      if (!old && (keepBytes === 0 || total <= keepBytes)) continue;
      await rm(path);
      total -= size;
      log.info({ path, bytes: size }, `Removed an old file: ${old ? 'FILE_KEEP_AGE' : 'FILE_KEEP_SIZE'}`);
    }
    for (const directory of await names.ofDays(node)) {
      // It may be about to be written to.
      if (!current.startsWith(`${directory}/`)) await rmdir(directory).catch(unlessNotEmpty);
    }
  }
}

function unlessNotEmpty(error: unknown): void {
  const { code = '' } = error as NodeJS.ErrnoException;
  // What holds something stays, and another agent may have been quicker.
  if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(code)) throw error;
}
