import { createReadStream, open, read as readCallback, readSync } from 'node:fs';
import { pipeline } from 'node:stream';
import { promisify } from 'node:util';
import { createGunzip } from 'node:zlib';

const read = promisify(readCallback);

/**
 * Bytes read at once. Larger pieces are slower: V8 keeps strings above some 128 KiB in a space of their own
 * (measured with split2: 2.2 GB/s at 64 KiB, 0.6 GB/s at 256 KiB).
 */
export const CHUNK_BYTES = 64 * 1024;

/** Gives the (uncompressed) bytes of a file from an offset on, one piece a call. One call at a time. */
export interface ByteSource {
  /**
   * The next piece, at most CHUNK_BYTES and (of a plain file) `most`, one character a byte; '' for progress without bytes; undefined at the
   * end that the file has now.
   *
   * @throws what reading throws; a compressed file that ends too early: an error with code `Z_BUF_ERROR`.
   */
  read(most: number): Promise<string | undefined> | string | undefined;
  /** Ends what reading began; the descriptor stays open. */
  close(): void;
}

/** A plain file, which may grow. */
export class PlainSource implements ByteSource {
  readonly #fd: number;
  #position: number;

  constructor(fd: number, position: number) {
    this.#fd = fd;
    this.#position = position;
  }

  /** What was just appended is in the page cache and cheapest read at once; a backlog may come from a slow disk. */
  read(most: number): Promise<string | undefined> | string | undefined {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, most));
    if (buffer.length === CHUNK_BYTES) return this.#readBacklog(buffer);
    return this.#took(buffer, readSync(this.#fd, buffer, 0, buffer.length, this.#position));
  }

  close(): void {}

  async #readBacklog(buffer: Buffer): Promise<string | undefined> {
    return this.#took(buffer, (await read(this.#fd, buffer, 0, buffer.length, this.#position)).bytesRead);
  }

  #took(buffer: Buffer, length: number): string | undefined {
    this.#position += length;
    return length === 0 ? undefined : buffer.toString('latin1', 0, length);
  }
}

/**
 * `destroy()` of a stream closes its descriptor whatever `autoClose` says, and does so later, when the number may
 * be another file's by now: the descriptor is its owner's to close.
 */
const notClosing = {
  open,
  read: readCallback,
  close: (_fd: number, closed?: (error: NodeJS.ErrnoException | null) => void) => closed?.(null),
};

/** A compressed file, which does not grow. What lies before the offset is unzipped and dropped. */
export class GzipSource implements ByteSource {
  readonly #pieces: AsyncIterator<Buffer>;
  readonly #destroy: () => void;
  #toSkip: number;

  constructor(fd: number, offset: number) {
    const zipped = createReadStream('', {
      fd,
      start: 0,
      highWaterMark: CHUNK_BYTES,
      fs: notClosing,
    });
    const unzipped = createGunzip({ chunkSize: CHUNK_BYTES });
    // The error comes out of the iterator; the callback is there because pipeline() wants one.
    pipeline(zipped, unzipped, () => undefined);
    this.#pieces = unzipped[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    this.#destroy = () => zipped.destroy();
    this.#toSkip = offset;
  }

  async read(): Promise<string | undefined> {
    const { done, value } = await this.#pieces.next();
    if (done === true) return undefined;
    const skipped = Math.min(this.#toSkip, value.length);
    this.#toSkip -= skipped;
    return value.toString('latin1', skipped);
  }

  close(): void {
    this.#destroy();
  }
}
