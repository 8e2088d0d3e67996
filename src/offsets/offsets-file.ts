import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { ConfigError } from '../util/config-error.ts';

/** What is kept of one log file. */
export interface SavedFile {
  /** Committed offset, in uncompressed bytes. */
  offset: number;
  /** Last seen name, for people; never used as identity. */
  name: string;
  /** Last seen size in bytes; of a compressed file, what was read of it. */
  size: number;
  /** Nothing is left to read in it, and no more will be written. */
  done?: true;
}

/** What is kept of one container. */
export interface SavedContainer {
  files: Record<string, SavedFile>;
  /** No longer selected: kept only so that a later selection goes on from here. */
  released?: true;
}

/** Why something could not be read. */
export const GAP_REASONS = [
  'removed_while_down',
  'held_files_budget',
  'held_files_limit',
  'truncated',
  'compressed_file_damaged',
] as const;
export type GapReason = (typeof GAP_REASONS)[number];

/** What could not be read. */
export interface Gap {
  /** `<pod directory>/<container>`. */
  container: string;
  file: string;
  fileId: string;
  reason: GapReason;
  /** Offset of the first byte that was not read. */
  from: number;
  /** Offset behind the last one; null where nobody knows. */
  to: number | null;
  /** The span of time that the lost lines may be of (RFC 3339); null where nobody knows. */
  since: string | null;
  until: string;
}

/**
 * The newest version of the offsets file that is read; also the one that is written. It grows when an older
 * Frostbeat could not go on from the file without losing or repeating something; a member that may be missing
 * needs no new version. Every version that was ever written is read for good: test/fixtures/offsets has them.
 */
const VERSION = 1;

/** The offsets file. Containers are named `<pod directory>/<container>`, files by their fileId. */
export interface SavedOffsets {
  version: typeof VERSION;
  /** RFC 3339. */
  savedAt: string;
  containers: Record<string, SavedContainer>;
  /** The latest gaps, oldest first. */
  gaps: Gap[];
  /** Of pods that exclude containers, by the name of their directory: those containers. */
  excluded?: Record<string, readonly string[]>;
  /** Names of log directories that were there and whose pods were not selected. */
  unselected?: readonly string[];
}

export const OFFSETS_FILE = 'offsets.json';

/**
 * Reads the offsets file. A missing one is a first start. One that cannot be understood is set aside under
 * another name and said loudly; reading then begins at the files' beginnings, which the records' stable
 * identities make harmless.
 *
 * @throws ConfigError where a later Frostbeat wrote it: after a downgrade, only a person can say whether what it
 * knows may be given up.
 * @throws if the file is there and cannot be read or set aside: to go on would overwrite it.
 */
export async function loadOffsets(stateDir: string, log: Logger): Promise<SavedOffsets | undefined> {
  const path = join(stateDir, OFFSETS_FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`Cannot read the offsets: ${path} is not readable`, { cause: error });
  }
  try {
    return checked(JSON.parse(text), path);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const aside = `${path}.unreadable-${Date.now()}`;
    await rename(path, aside);
    log.error(
      { err: error, file: path, setAside: aside },
      'The offsets file cannot be understood; it is set aside, and all log files are read from their beginning. ' +
        'Records that are stored already are written again under the same keys.',
    );
    return undefined;
  }
}

function checked(value: unknown, path: string): SavedOffsets {
  const saved = value as Partial<SavedOffsets> | null;
  if (typeof saved !== 'object' || saved === null)
    throw new Error('Cannot use the offsets: the file is no JSON object');
  const version: unknown = saved.version;
  if (Number.isSafeInteger(version) && Number(version) > VERSION)
    throw new ConfigError([later(path, version)]);
  if (version !== VERSION) {
    throw new Error(
      `Cannot use the offsets: version is ${JSON.stringify(version)}, this Frostbeat reads ${VERSION}`,
    );
  }
  const containers = saved.containers;
  if (typeof containers !== 'object' || containers === null) {
    throw new Error(`Cannot use the offsets: containers is ${JSON.stringify(containers)}`);
  }
  if (saved.gaps !== undefined && !Array.isArray(saved.gaps)) {
    throw new Error(`Cannot use the offsets: gaps is ${JSON.stringify(saved.gaps)}`);
  }
  for (const [name, container] of Object.entries(containers)) {
    for (const [fileId, file] of Object.entries(container.files)) {
      if (!Number.isSafeInteger(file.offset) || file.offset < 0) {
        throw new Error(
          `Cannot use the offsets: that of ${name} ${fileId} is ${JSON.stringify(file.offset)}`,
        );
      }
    }
  }
  const { gaps = [], excluded, unselected } = saved;
  if (unselected !== undefined && !Array.isArray(unselected))
    throw new Error(`Cannot use the offsets: unselected is ${JSON.stringify(unselected)}`);
  if (excluded !== undefined && !Object.values(excluded ?? [0]).every(Array.isArray))
    throw new Error(`Cannot use the offsets: excluded is ${JSON.stringify(excluded)}`);
  const savedAt = String(saved.savedAt);
  return {
    version: VERSION,
    savedAt,
    containers,
    gaps,
    ...(excluded && { excluded }),
    ...(unselected && { unselected }),
  };
}

function later(path: string, version: unknown): string {
  return (
    `${path} is version ${String(version)}, of a later Frostbeat; this one reads up to ${VERSION}. ` +
    'It is left as it is: start the later Frostbeat again, and it goes on from there. To stay with this one, ' +
    'move the file away: all log files that are still there are then read from their beginning'
  );
}
