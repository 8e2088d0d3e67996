import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/** The calls on whose order it depends what a power loss leaves; an argument so that a test can watch them. */
export interface GzipFs {
  open: typeof open;
  rename: typeof rename;
  rm: typeof rm;
}

/**
 * Replaces a file `X` by `X.gz`, of the same age and mode. The plain file goes only when the compressed one is on the
 * disk under its name: at no time is neither there, whole.
 *
 * @throws what the file system says; the plain file is then still in place.
 */
export async function gzipDurably(path: string, fs: GzipFs = { open, rename, rm }): Promise<void> {
  const { atime, mtime, mode } = await stat(path);
  const temporary = `${path}.gz.tmp`;
  await pipeline(createReadStream(path), createGzip(), createWriteStream(temporary, { mode }));
  const file = await fs.open(temporary, 'r+');
  try {
    // Its age is that of what it holds.
    await file.utimes(atime, mtime);
    await file.sync();
  } finally {
    await file.close();
  }
  await fs.rename(temporary, `${path}.gz`);
  const directory = await fs.open(dirname(path));
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
  await fs.rm(path);
}
