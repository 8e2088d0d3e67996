import { readFile } from 'node:fs/promises';
import { writeDurably } from '../util/write-durably.ts';

export interface SavedVersionsOptions {
  /** Undefined saves nothing. */
  readonly path: string | undefined;
  /**
   * A version is saved so much later, in milliseconds: what was heard up to it must be in the offsets file by then,
   * which is saved every second.
   */
  readonly lagMs?: number;
}

/**
 * How far each watch had heard when this agent, or the one before it on this node, was there last: the next one can
 * ask what was deleted since. To lose the file, or not to be able to write it, costs no more than that answer.
 */
export class SavedVersions {
  readonly #path: string | undefined;
  readonly #lagMs: number;
  readonly #saved: ReadonlyMap<string, string>;
  readonly #heard = new Map<string, string>();
  #due: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor({ path, lagMs = 3_000 }: SavedVersionsOptions, saved: ReadonlyMap<string, string>) {
    this.#path = path;
    this.#lagMs = lagMs;
    this.#saved = saved;
  }

  /** Reads what the last run had saved. Never rejects. */
  static async load(options: SavedVersionsOptions): Promise<SavedVersions> {
    return new SavedVersions(options, options.path === undefined ? new Map() : await read(options.path));
  }

  /** @param watch names a watch: what it is on, and what it selects. */
  get(watch: string): string | undefined {
    const version = this.#saved.get(watch);
    // Until more is heard it stays what it is; of watches that nobody asks for nothing is kept.
    if (version !== undefined) this.#heard.set(watch, version);
    return version;
  }

  heard(watch: string, version: string): void {
    this.#heard.set(watch, version);
    if (this.#path === undefined) return;
    const now = new Map(this.#heard);
    this.#due ??= setTimeout(() => {
      this.#due = undefined;
      this.#write(now);
      for (const [key, value] of this.#heard) if (now.get(key) !== value) this.heard(key, value);
    }, this.#lagMs);
  }

  /** All offsets are saved. Never rejects. */
  async close(): Promise<void> {
    clearTimeout(this.#due);
    this.#write(this.#heard);
    await this.#writing;
  }

  #write(versions: ReadonlyMap<string, string>): void {
    const path = this.#path;
    if (path === undefined || versions.size === 0) return;
    const text = JSON.stringify(Object.fromEntries(versions), undefined, 2);
    this.#writing = this.#writing.then(() => writeDurably(path, `${text}\n`)).catch(() => undefined);
  }
}

async function read(path: string): Promise<ReadonlyMap<string, string>> {
  try {
    const saved = Object.entries(JSON.parse(await readFile(path, 'utf8')) as object);
    return new Map(saved.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  } catch {
    return new Map(); // Not there yet, or damaged: nothing is known.
  }
}
