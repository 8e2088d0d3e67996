import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** A file of the file writer's output. */
export interface OutputFile {
  readonly path: string;
  /** It ends in `.gz`. */
  readonly compressed: boolean;
  /** It was rotated, and is appended to no more. */
  readonly rotated: boolean;
}

/** `.YYYYMMDD-HHMMSS.mmm`, in UTC, behind the name of a file that was rotated. */
const stamp = String.raw`\.\d{8}-\d{6}\.\d{3}`;
const date = String.raw`\d{4}-\d\d-\d\d`;

/** The names of the file writer's files: the one written to, those that were rotated, and all there are. */
export class FileNames {
  readonly #directory: string;
  readonly #name: string;

  /** @param path absolute; its last segment may hold `{node}` and `{date}` (the day in UTC). */
  constructor(path: string) {
    this.#directory = dirname(path);
    this.#name = basename(path);
  }

  /** What is written to at a time. */
  current(node: string, now: Date): string {
    const name = this.#name.replaceAll('{node}', node).replaceAll('{date}', now.toISOString().slice(0, 10));
    return join(this.#directory, name);
  }

  /** What a file is called once it is rotated: a name that no file has yet. */
  rotated(path: string, now: Date): string {
    for (let time = now.getTime(); ; time++) {
      const text = new Date(time).toISOString();
      const name = `${path}.${text.replaceAll(/[-:Z]/g, '').replace('T', '-')}`;
      if (!existsSync(name) && !existsSync(`${name}.gz`)) return name;
    }
  }

  /**
   * The files there are, the oldest first; where one is there both plain and compressed, both are.
   *
   * @param node its files; undefined for those of all nodes.
   * @throws the operating system's error; no directory is no file.
   */
  async list(node?: string): Promise<readonly OutputFile[]> {
    const pattern = this.#pattern(node);
    const names = await readdir(this.#directory).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    });
    const found = names.flatMap((name) => {
      const parts = pattern.exec(name);
      if (parts === null) return [];
      const [, stem = '', rotation = '', gz] = parts;
      // A live file is newer than all that have its name before their stamp.
      const order = `${stem}\0${rotation === '' ? '~' : rotation}`;
      const path = join(this.#directory, name);
      return [{ path, compressed: gz !== undefined, rotated: rotation !== '', order }];
    });
    return found.sort((a, b) => (a.order < b.order ? -1 : Number(a.order > b.order)));
  }

  #pattern(node: string | undefined): RegExp {
    const stem = RegExp.escape(this.#name)
      .replaceAll(RegExp.escape('{node}'), node === undefined ? '[^/]+' : RegExp.escape(node))
      .replaceAll(RegExp.escape('{date}'), date);
    return new RegExp(`^(${stem})(${stamp})?(\\.gz)?$`);
  }
}
