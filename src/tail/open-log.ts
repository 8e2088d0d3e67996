import { closeSync, constants, fstatSync, openSync, readlinkSync, type Stats } from 'node:fs';
import { isWithin } from './list-logs.ts';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/** Opening was refused, for the sake of safety; the path is not to be read. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/**
 * Opens a log file for reading. The last part of the path may be no symlink, what is opened must be a regular
 * file (a FIFO would block), and what was really opened must lie within the roots: a directory on the way may
 * have become a symlink since it was listed.
 *
 * @throws RefusedError, or what open(2) says (ENOENT, EMFILE, EACCES, …).
 */
export function openLog(path: string, allowedRoots: readonly string[]): { fd: number; stat: Stats } {
  let fd: number;
  try {
    fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ELOOP') throw error;
    throw new RefusedError(`Cannot open ${path}: it has become a symlink`, { cause: error });
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new RefusedError(`Cannot open ${path}: it is no regular file`);
    const real = realPath(fd);
    if (real !== undefined && !isWithin(real, allowedRoots)) {
      throw new RefusedError(
        `Cannot open ${path}: it leads to ${real}, outside of ${allowedRoots.join(' and ')}`,
      );
    }
    return { fd, stat };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Where an open descriptor leads, on Linux; a deleted file's former path. */
function realPath(fd: number): string | undefined {
  if (process.platform !== 'linux') return undefined;
  return readlinkSync(`/proc/self/fd/${fd}`).replace(/ \(deleted\)$/, '');
}
