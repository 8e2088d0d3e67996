import { type Dirent, readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { compareNames, type LogName, parseDockerName, parseLogName } from './log-names.ts';

/** A name under which a log file can be opened. */
export interface LogEntry extends LogName {
  /** Absolute path, with no symlink as its last part. */
  readonly path: string;
}

/** A symlink that is not followed, and where it leads. */
export interface Refusal {
  readonly path: string;
  readonly reason: 'symlink_outside' | 'symlink_broken';
  readonly target: string | undefined;
}

export interface Listing {
  /** Oldest first. */
  readonly entries: LogEntry[];
  readonly refusals: Refusal[];
  /** Directories that symlinks lead to. */
  readonly targets: string[];
}

/**
 * Lists the log files of a container's directory. A symlink (Docker's) is followed only to a target within the
 * allowed roots: a pod that can write to its log directory must not make the agent read other files.
 *
 * @param allowedRoots absolute, real paths.
 * @throws ENOENT when the directory is gone, and what else reading it throws.
 */
export function listLogs(directory: string, allowedRoots: readonly string[]): Listing {
  const entries: LogEntry[] = [];
  const refusals: Refusal[] = [];
  const targets: string[] = [];
  for (const item of readdirSync(directory, { withFileTypes: true })) {
    const name = parseLogName(item.name);
    if (name === undefined) continue;
    const path = join(directory, item.name);
    if (!item.isSymbolicLink()) {
      entries.push({ ...name, path });
      continue;
    }
    const target = realTarget(path);
    if (target === undefined) refusals.push({ path, reason: 'symlink_broken', target });
    else if (!isWithin(target, allowedRoots)) refusals.push({ path, reason: 'symlink_outside', target });
    else if (name.live) {
      entries.push(...dockerEntries(target, name.generation));
      targets.push(dirname(target));
    } else entries.push({ ...name, path: target });
  }
  return { entries: entries.sort(compareNames), refusals, targets };
}

/** Whether a real path lies under one of the roots. */
export function isWithin(path: string, roots: readonly string[]): boolean {
  return roots.some((root) => path === root || path.startsWith(root.endsWith('/') ? root : `${root}/`));
}

function dockerEntries(target: string, generation: number): LogEntry[] {
  const directory = dirname(target);
  const base = basename(target);
  return listed(directory).flatMap((item) => {
    const name = item.isFile() ? parseDockerName(item.name, base, generation) : undefined;
    return name === undefined ? [] : [{ ...name, path: join(directory, item.name) }];
  });
}

/** The target's directory may go at any moment; that of the container is still there. */
function listed(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function realTarget(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined; // A broken link, or one that changes under us: told to the caller as such.
  }
}
