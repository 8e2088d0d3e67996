import { closeSync, constants, fstatSync, openSync, renameSync, writeFileSync } from 'node:fs';
import type { LineFormat, Stream } from './line-format.ts';

const appending = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND;

/**
 * The log file of one run of a container, `<n>.log`, held open and written as a runtime does. All is written at
 * once and in the order of the calls; after a rename the writes go to the renamed file until `reopen`.
 */
export class ContainerLog {
  /** Where `reopen` makes the file. */
  readonly path: string;
  readonly #format: LineFormat;
  #fd: number | undefined;

  /** Makes the file, mode 0640. @throws where its directory does not exist. */
  constructor(path: string, format: LineFormat) {
    this.path = path;
    this.#format = format;
    this.#fd = openSync(path, appending, 0o640);
  }

  /** Bytes of the file that is written to now, whatever its name; 0 after the end. */
  get size(): number {
    return this.#fd === undefined ? 0 : fstatSync(this.#fd).size;
  }

  /** The container prints `output`: whole lines, several, or a part of one. */
  print(output: Buffer | string, stream: Stream = 'stdout'): void {
    this.#append(this.#format.output(stream, typeof output === 'string' ? Buffer.from(output) : output));
  }

  /** Goes on in a new file of the old name; the rest of an unterminated line goes to the old file. */
  reopen(): void {
    const fd = openSync(this.#format.reopensByRename ? `${this.path}.tmp` : this.path, appending, 0o640);
    if (this.#format.reopensByRename) renameSync(`${this.path}.tmp`, this.path);
    this.#append(this.#format.flush());
    this.#close();
    this.#fd = fd;
  }

  /** The container ends; nothing is written any more. Calling it again does nothing. */
  end(): void {
    if (this.#fd === undefined) return;
    this.#append(this.#format.flush());
    this.#close();
  }

  #append(bytes: Buffer): void {
    if (this.#fd === undefined) throw new Error(`Cannot write ${this.path}: its container has ended`);
    if (bytes.length > 0) writeFileSync(this.#fd, bytes);
  }

  #close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
