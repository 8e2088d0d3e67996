import { existsSync } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FilePattern } from './file-pattern.ts';

/** A file of the file writer's output. */
export interface OutputFile {
  readonly path: string;
  /** Whose it is, as its name is in the path; empty where it is not. */
  readonly node: string;
  /** It ends in `.gz`. */
  readonly compressed: boolean;
  /** It was rotated, and is appended to no more. */
  readonly rotated: boolean;
}

/** The names of the file writer's files: the one written to, those that were rotated, and all there are. */
export class FileNames {
  readonly #pattern: FilePattern;

  /** @param path absolute; its segments may hold `{node}` and `{date}` (the day in UTC). */
  constructor(path: string) {
    this.#pattern = new FilePattern(path);
  }

  /** The directory that all files are in, or below. */
  get base(): string {
    return this.#pattern.base;
  }

  /** What is written to at a time. */
  current(node: string, now: Date): string {
    return this.#pattern.at(node, now);
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
   * The files there are, the oldest first; where one is there both plain and compressed, both are. Below the base
   * symbolic links to directories are not followed.
   *
   * @param node its files; undefined for those of all nodes, one node after the other where `{node}` comes first.
   * @throws the operating system's error; no directory is no file.
   */
  async list(node?: string): Promise<readonly OutputFile[]> {
    const pattern = this.#pattern.files(node);
    const directories = (await this.#directories(node)).at(-1) ?? [];
    const names = await Promise.all(directories.map((directory) => this.#entries(directory)));
    const found = names.flat().flatMap(({ name, isDirectory }) => {
      const groups = isDirectory ? undefined : pattern.exec(name)?.groups;
      if (groups === undefined) return [];
      const { stem = '', rotation, gz, node: owner = '' } = groups;
      // A live file is newer than all that have its name before their stamp.
      const order = `${stem}\0${rotation ?? '~'}`;
      const path = join(this.base, name);
      return [{ path, node: owner, compressed: gz !== undefined, rotated: rotation !== undefined, order }];
    });
    return found.sort((a, b) => (a.order < b.order ? -1 : Number(a.order > b.order)));
  }

  /** The directories of a node that are made anew each day, the deepest first. @throws as `list`. */
  async ofDays(node: string): Promise<readonly string[]> {
    const depth = this.#pattern.segments.findIndex((segment) => segment.includes('{date}'));
    if (depth === -1) return [];
    const levels = (await this.#directories(node)).slice(depth + 1);
    return levels
      .toReversed()
      .flat()
      .map((name) => join(this.base, name));
  }

  /**
   * Looks whether the directories of a file below the base may be gone through, where they are there.
   *
   * @throws Error `ELOOP` where one is a symbolic link: what is written behind it would not be found again.
   */
  async checkDirectories(path: string): Promise<void> {
    for (let directory = dirname(path); directory.length > this.base.length; directory = dirname(directory)) {
      const stat = await lstat(directory).catch(() => undefined);
      if (stat?.isSymbolicLink() !== true) continue;
      const text = `ELOOP: ${directory} is a symbolic link, which is not followed below ${this.base}`;
      throw Object.assign(new Error(text), { code: 'ELOOP' });
    }
  }

  /** By depth, relative to the base: `['']`, which is the base itself, and what is below it. */
  async #directories(node: string | undefined): Promise<readonly (readonly string[])[]> {
    const levels: string[][] = [['']];
    for (let depth = 1; depth < this.#pattern.segments.length; depth++) {
      const pattern = this.#pattern.directories(depth, node);
      const entries = await Promise.all((levels.at(-1) ?? []).map((above) => this.#entries(above)));
      levels.push(
        entries
          .flat()
          .filter(({ name, isDirectory }) => isDirectory && pattern.test(name))
          .map(({ name }) => name),
      );
    }
    return levels;
  }

  /** What is in a directory, relative to the base; links are no directories. */
  async #entries(directory: string): Promise<readonly { name: string; isDirectory: boolean }[]> {
    const path = join(this.base, directory);
    const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    });
    return entries.map((entry) => ({ name: join(directory, entry.name), isDirectory: entry.isDirectory() }));
  }
}
