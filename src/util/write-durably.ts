import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The calls that make a file durable; an argument so that a test can lose power between any two of them. */
export interface DurableFs {
  open: typeof open;
  rename: typeof rename;
}

/**
 * Replaces a file as a whole: after a crash or a power loss at any instant either the old content is there or
 * the new one, and when this resolves it is the new one. The content is synced before the rename, or the name
 * could come to point at nothing; the directory after it, or the rename itself could be lost.
 *
 * @throws what the file system says (ENOSPC, EROFS, …); the old content is then still in place.
 */
export async function writeDurably(
  path: string,
  content: string,
  fs: DurableFs = { open, rename },
): Promise<void> {
  const temporary = `${path}.tmp`;
  const file = await fs.open(temporary, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await fs.rename(temporary, path);
  const directory = await fs.open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
