import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppendFile } from '../util/append-file.ts';

/** Where a file is rotated, in bytes: about a thousand canaries. */
const MOST_BYTES = 256 * 1024;
const LIVE = '0.log';
const ROTATED = /^0\.log\.\d{8}-\d{6}$/;

/**
 * The log of a container that does not exist: lines as containerd writes them, in files that are rotated as the
 * kubelet does it. Two files at most, so that it never takes more than half a mebibyte of the disk.
 */
export class CanaryLog {
  readonly directory: string;
  readonly #mostBytes: number;
  #file: AppendFile | undefined;

  /** @param mostBytes only tests give it. */
  constructor(directory: string, mostBytes = MOST_BYTES) {
    this.directory = directory;
    this.#mostBytes = mostBytes;
  }

  /**
   * Writes one line of the container's output, and resolves when it is on the disk.
   *
   * @param text without line feeds.
   * @param now stamps the line, as the runtime would.
   * @throws the operating system's error: the line is not written then.
   */
  async append(text: string, now: Date): Promise<void> {
    if (this.#file !== undefined && (await this.#file.isDeleted())) await this.close();
    this.#file ??= await this.#open();
    if (this.#file.size >= this.#mostBytes) {
      await this.close();
      await this.#rotate(now);
      this.#file = await this.#open();
    }
    await this.#file.append(Buffer.from(`${now.toISOString()} stdout F ${text}\n`));
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #open(): Promise<AppendFile> {
    return await AppendFile.open(join(this.directory, LIVE), () => undefined);
  }

  async #rotate(now: Date): Promise<void> {
    const older = (await readdir(this.directory)).filter((name) => ROTATED.test(name));
    for (const name of older) await rm(join(this.directory, name));
    const stamp = now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
    await rename(join(this.directory, LIVE), join(this.directory, `${LIVE}.${stamp}`));
  }
}
