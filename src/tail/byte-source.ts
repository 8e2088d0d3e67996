import { read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { createGunzip } from 'node:zlib';

const readPiece = promisify(read);
const NOTHING = Buffer.alloc(0);

/** Bytes read at once; a record that waits keeps the piece that it was read with. */
export const CHUNK_BYTES = 64 * 1024;
/** Compressed bytes unzipped at once. */
const ZIPPED_BYTES = 8 * 1024;

/** Gives the (uncompressed) bytes of a file from an offset on, one piece a call. One call at a time. */
export interface ByteSource {
  /**
   * The next piece, at most CHUNK_BYTES and (of a plain file) `most`, in memory of its own; empty for progress
   * without bytes; undefined at the end that the file has now.
   *
   * @throws what reading throws; a compressed file that ends too early or is damaged: an error with a code that begins with `Z_`.
   */
  read(most: number): Promise<Buffer | undefined> | Buffer | undefined;
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

  /**
   * Reads synchronously: what was written lately is in the page cache, and the kernel reads ahead of a backlog.
   * Through the thread pool a piece costs 40 µs more, half of what all the rest of its way costs.
   */
  read(most: number): Buffer | undefined {
    // Of its own size: a record may keep it for as long as the store is down.
    const piece = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, most));
    const length = readSync(this.#fd, piece, 0, piece.length, this.#position);
    this.#position += length;
    return length === 0 ? undefined : piece.subarray(0, length);
  }

  close(): void {}
}

/**
 * A compressed file, which does not grow. What lies before the offset is unzipped and dropped. Of a file that is
 * cut off everything before the cut is given, and only then the error thrown.
 */
export class GzipSource implements ByteSource {
  readonly #fd: number;
  readonly #unzip = createGunzip({ chunkSize: CHUNK_BYTES });
  readonly #pieces: Buffer[] = [];
  #position = 0;
  #toSkip: number;
  #failure: Error | undefined;
  #ended = false;
  /** Called when what was fed is unzipped. */
  #onDone: () => void = () => undefined;

  constructor(fd: number, offset: number) {
    this.#fd = fd;
    this.#toSkip = offset;
    this.#unzip.on('data', (piece: Buffer) => this.#pieces.push(piece));
    this.#unzip.on('error', (error) => {
      this.#failure = error;
      this.#onDone();
    });
    this.#unzip.on('end', () => {
      this.#ended = true;
      this.#onDone();
    });
  }

  async read(): Promise<Buffer | undefined> {
    if (this.#pieces.length === 0 && !this.#ended && this.#failure === undefined) await this.#feed();
    const piece = this.#pieces.shift();
    if (piece !== undefined) {
      const skipped = Math.min(this.#toSkip, piece.length);
      this.#toSkip -= skipped;
      return piece.subarray(skipped);
    }
    if (this.#failure !== undefined) throw this.#failure;
    return this.#ended ? undefined : NOTHING;
  }

  close(): void {
    this.#unzip.destroy();
  }

  /** Unzips a little more; what comes of it is at most a thousand times as much. */
  async #feed(): Promise<void> {
    const zipped = Buffer.allocUnsafe(ZIPPED_BYTES);
    const { bytesRead } = await readPiece(this.#fd, zipped, 0, zipped.length, this.#position);
    this.#position += bytesRead;
    await new Promise<void>((resolve) => {
      this.#onDone = resolve;
      if (bytesRead === 0) this.#unzip.end();
      else this.#unzip.write(zipped.subarray(0, bytesRead), () => resolve());
    });
  }
}
