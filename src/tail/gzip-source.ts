import { read } from 'node:fs';
import { promisify } from 'node:util';
import { createGunzip } from 'node:zlib';
import { PIECE_BYTES } from './read-piece.ts';

const readZipped = promisify(read);
const NOTHING = Buffer.alloc(0);

/** Compressed bytes unzipped at once. */
const ZIPPED_BYTES = 8 * 1024;

/**
 * A compressed file, which does not grow. What lies before the offset is unzipped and dropped. Of a file that is
 * cut off everything before the cut is given, and only then the error thrown.
 */
export class GzipSource {
  readonly #fd: number;
  readonly #unzip = createGunzip({ chunkSize: PIECE_BYTES });
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

  /**
   * The next bytes, at most PIECE_BYTES; none yet where it is empty; undefined at the end. One call at a time.
   *
   * @throws what reading throws; for a file that ends too early or is damaged an error with a code that begins with `Z_`.
   */
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

  /** Ends what reading began; the descriptor stays open. */
  close(): void {
    this.#unzip.destroy();
  }

  /** Unzips a little more; what comes of it is at most a thousand times as much. */
  async #feed(): Promise<void> {
    const zipped = Buffer.allocUnsafe(ZIPPED_BYTES);
    const { bytesRead } = await readZipped(this.#fd, zipped, 0, zipped.length, this.#position);
    this.#position += bytesRead;
    await new Promise<void>((resolve) => {
      this.#onDone = resolve;
      if (bytesRead === 0) this.#unzip.end();
      else this.#unzip.write(zipped.subarray(0, bytesRead), () => resolve());
    });
  }
}
