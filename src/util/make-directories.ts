import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a directory and those above it that are missing. Node's own way (`recursive`) never comes back where the
 * directory above is there and the system still says ENOENT, as it does in /proc.
 *
 * @returns the topmost one that was made; undefined where all were there.
 * @throws the operating system's error; `EEXIST` where the path is no directory.
 */
export function makeDirectories(path: string): string | undefined {
  const above = dirname(path);
  const first = existsSync(above) ? undefined : makeDirectories(above);
  try {
    mkdirSync(path);
    return first ?? path;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !statSync(path).isDirectory()) throw error;
    return first;
  }
}
