import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { OFFSETS_FILE, type SavedContainer, type SavedOffsets } from '../offsets/offsets-file.ts';
import { parsePodDirectory } from '../pods/log-path.ts';
import type { PodTarget } from '../pods/targets.ts';
import { compareNames, parseLogName } from '../tail/log-names.ts';
import type { ContainerExplanation } from './explanation.ts';

/** The pods that have a log directory on this node; empty where POD_LOG_DIR cannot be listed. */
export async function podsOfNode(podLogDir: string): Promise<PodTarget[]> {
  const names = await readdir(podLogDir).catch(() => []);
  return names.flatMap((name) => parsePodDirectory(podLogDir, name) ?? []);
}

/** What the last agent saved; undefined where nothing can be read of it. */
export async function savedOffsets(stateDir: string): Promise<SavedOffsets | undefined> {
  try {
    return JSON.parse(await readFile(join(stateDir, OFFSETS_FILE), 'utf8')) as SavedOffsets;
  } catch {
    return undefined;
  }
}

/** A pod's containers: their files, and what the last agent saved of them. */
export async function containersOf(
  { namespace, pod, uid, directory }: PodTarget,
  saved: SavedOffsets | undefined,
): Promise<ContainerExplanation[]> {
  const names = (await readdir(directory, { withFileTypes: true }).catch(() => []))
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  return await Promise.all(
    names.map(async (container) => {
      const known = saved?.containers[`${namespace}_${pod}_${uid}/${container}`];
      return {
        container,
        state: null,
        why: whyOf(known, saved),
        counts: null,
        behindBytes: null,
        behindSeconds: null,
        samples: [],
        files: await filesOf(join(directory, container), known),
      };
    }),
  );
}

function whyOf(known: SavedContainer | undefined, saved: SavedOffsets | undefined): string {
  if (known === undefined) return 'No agent has saved offsets of it.';
  const since = `as saved ${saved?.savedAt ?? ''}`;
  return known.released === true
    ? `It was followed once, and let go (${since}).`
    : `It was followed (${since}).`;
}

async function filesOf(
  directory: string,
  known: SavedContainer | undefined,
): Promise<ContainerExplanation['files']> {
  const names = (await readdir(directory).catch(() => [])).flatMap((name) => parseLogName(name) ?? []);
  const byName = new Map(Object.values(known?.files ?? {}).map((file) => [file.name, file]));
  return await Promise.all(
    names.toSorted(compareNames).map(async ({ name }) => {
      const found = await stat(join(directory, name)).catch(() => undefined);
      return { name, offset: byName.get(name)?.offset ?? 0, size: found?.size ?? 0 };
    }),
  );
}
