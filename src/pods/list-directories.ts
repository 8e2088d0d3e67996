import { lstat, readdir } from 'node:fs/promises';

/**
 * The names of the directories in a directory; links among them are left out.
 *
 * @returns undefined where the path does not exist, is no directory, or is a link that is not allowed.
 * @throws Error where it cannot be read.
 */
export async function listDirectories(
  path: string,
  { linkAllowed }: { readonly linkAllowed: boolean },
): Promise<string[] | undefined> {
  try {
    if (!linkAllowed && !(await lstat(path)).isDirectory()) return undefined;
    const entries = await readdir(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) {
      return undefined;
    }
    throw error;
  }
}
