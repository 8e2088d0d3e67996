import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeDirectories } from './make-directories.ts';

/** What the operating system is asked to do; replaced in tests to make a disk fail. */
export type OpenFile = (path: string, flags: number, mode: number) => Promise<FileHandle>;

/**
 * Each write returns when what it wrote is on the disk, with the length that leads to it, as if `fdatasync` came behind
 * it (open(2)): one call of the operating system for both.
 */
const FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_DSYNC;

/** A file that grows by whole, synced pieces: after a failure or a crash it ends where the last good piece did. */
export class AppendFile {
  readonly path: string;
  /** When the file was made, in milliseconds since 1970. */
  readonly bornAt: number;
  readonly #handle: FileHandle;
  /** Length of what is known to be whole. */
  #end: number;
  /** There may be a torn piece beyond `#end`. */
  #torn = false;
  /** The end is as it was asked for since the last piece. */
  #endKnown = false;

  private constructor(
    path: string,
    { handle, end, bornAt }: { handle: FileHandle; end: number; bornAt: number },
  ) {
    this.path = path;
    this.bornAt = bornAt;
    this.#handle = handle;
    this.#end = end;
  }

  /**
   * Opens the file for appending, with the directories above it, and cuts off what is behind its last line feed:
   * a piece that a crash tore.
   *
   * @param onRepair told how many bytes were cut off, where there were any.
   * @param options.base the directories between it and the file are synced too: an earlier try, or a process that was
   *   killed since, may have made them.
   * @throws the operating system's error; `EISDIR` where the path is not a regular file.
   */
  static async open(
    path: string,
    onRepair: (bytes: number) => void,
    { base = dirname(path), openFile = open }: { base?: string; openFile?: OpenFile | undefined } = {},
  ): Promise<AppendFile> {
    const firstMade = makeDirectories(dirname(path));
    const handle = await openFile(path, FLAGS, 0o644);
    try {
      const stat = await handle.stat();
      if (!stat.isFile()) {
        throw Object.assign(new Error(`EISDIR: ${path} is no regular file`), { code: 'EISDIR' });
      }
      const end = await cutTornLine(handle, stat.size, onRepair);
      await handle.sync();
      const above = firstMade === undefined ? base : dirname(firstMade);
      await syncDirectories(path, above.length < base.length ? above : base, openFile);
      return new AppendFile(path, { handle, end, bornAt: stat.birthtimeMs });
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /**
   * Appends the piece and resolves when it is on the disk. One call at a time.
   *
   * @param piece ends with a line feed.
   * @throws the operating system's error; the piece, or part of it, is not in the file then.
   */
  async append(piece: Buffer): Promise<void> {
    if (!this.#endKnown) await this.#findEnd();
    this.#endKnown = false;
    try {
      let written = 0;
      while (written < piece.length) {
        written += (await this.#handle.write(piece, written)).bytesWritten;
      }
      this.#end += piece.length;
    } catch (error) {
      this.#torn = true;
      // Now rather than at the next try, so that a reader sees whole lines meanwhile; that try repeats it if it fails.
      await this.#findEnd().catch(() => undefined);
      throw error;
    }
  }

  /** Bytes in the file, as far as it is whole. */
  get size(): number {
    return this.#end;
  }

  /** The file is deleted: what is appended now would be lost when it is closed. */
  async isDeleted(): Promise<boolean> {
    const { nlink, size } = await this.#handle.stat();
    // One question to the disk for each piece is enough: each costs as much as the line frames of twenty records.
    if (!this.#torn) {
      this.#end = size;
      this.#endKnown = true;
    }
    return nlink === 0;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  /** Cuts a torn piece off, and notices when somebody else has made the file shorter. */
  async #findEnd(): Promise<void> {
    const { size } = await this.#handle.stat();
    if (size > this.#end && this.#torn) await this.#handle.truncate(this.#end);
    else this.#end = size;
    this.#torn = false;
  }
}

/**
 * Cuts off what is behind the last line feed of a file that is appended to no more.
 *
 * @param onRepair told how many bytes that was, where there were any.
 * @throws the operating system's error.
 */
export async function repairEnd(path: string, onRepair: (bytes: number) => void): Promise<void> {
  const handle = await open(path, constants.O_RDWR);
  try {
    await cutTornLine(handle, (await handle.stat()).size, onRepair);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** @returns the length that is left. */
async function cutTornLine(
  handle: FileHandle,
  size: number,
  onRepair: (bytes: number) => void,
): Promise<number> {
  const end = await endOfLastLine(handle, size);
  if (end < size) {
    await handle.truncate(end);
    onRepair(size - end);
  }
  return end;
}

/** The offset behind the last line feed; 0 where there is none. */
async function endOfLastLine(handle: FileHandle, size: number): Promise<number> {
  const chunk = Buffer.alloc(Math.min(size, 64 * 1024));
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - chunk.length);
    const { bytesRead } = await handle.read(chunk, 0, end - start, start);
    const found = chunk.subarray(0, bytesRead).lastIndexOf(0x0a);
    if (found !== -1) return start + found + 1;
    end = start;
  }
  return 0;
}

/** A new file survives a power loss only once its name is synced, and so do the new directories above it. */
async function syncDirectories(path: string, top: string, openFile: OpenFile): Promise<void> {
  for (let directory = dirname(path); ; directory = dirname(directory)) {
    const handle = await openFile(directory, constants.O_RDONLY, 0);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (directory === top || directory === dirname(directory)) return;
  }
}
