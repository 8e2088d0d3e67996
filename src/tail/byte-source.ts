import { createReadStream, open, read, readSync } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';

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
  readonly #buffer: Buffer;

  /** @param buffer of CHUNK_BYTES; several sources may share it, since what is read is copied out of it. */
  constructor(fd: number, position: number, buffer: Buffer) {
    this.#fd = fd;
    this.#position = position;
    this.#buffer = buffer;
  }

  /**
   * Reads synchronously: what was written lately is in the page cache, and the kernel reads ahead of a backlog.
   * Through the thread pool a piece costs 40 µs more, half of what all the rest of its way costs.
   */
  read(most: number): string | undefined {
    const length = readSync(this.#fd, this.#buffer, 0, Math.min(CHUNK_BYTES, most), this.#position);
    this.#position += length;
    return length === 0 ? undefined : this.#buffer.toString('latin1', 0, length);
  }

  close(): void {}
}

/**
 * `destroy()` of a stream closes its descriptor whatever `autoClose` says, and does so later, when the number may
 * be another file's by now: the descriptor is its owner's to close.
 */
const notClosing = {
  open,
  read,
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
