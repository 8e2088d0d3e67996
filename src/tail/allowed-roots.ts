import { realpathSync } from 'node:fs';

/**
 * The directories that log files may lie under, as real paths: /var/log or POD_LOG_DIR itself is a symlink on
 * some nodes. One that does not exist yet is asked for again each time.
 */
export function allowedRoots(directories: readonly string[]): () => readonly string[] {
  const real = new Map<string, string>();
  return () =>
    directories.map((directory) => {
      let path = real.get(directory);
      if (path === undefined) {
        path = resolved(directory);
        if (path === undefined) return directory;
        real.set(directory, path);
      }
      return path;
    });
}

function resolved(directory: string): string | undefined {
  try {
    return realpathSync(directory);
  } catch {
    return undefined; // Not there yet.
  }
}
