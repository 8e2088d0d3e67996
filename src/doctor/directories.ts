import { access, constants, open, readdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { stateDirTrouble } from '../config/state-dir.ts';
import { parsePodDirectory } from '../pods/log-path.ts';
import { parseLogName } from '../tail/log-names.ts';
import { humanBytes } from '../util/human.ts';
import { type Check, fail, messageOf, ok, warn } from './finding.ts';

/** Less than this is soon none. */
const LITTLE_BYTES = 100_000_000;

/** Whether the pods' logs can be listed and read. */
export const checkLogDirectory: Check = async ({ config: { podLogDir } }) => {
  const what = 'POD_LOG_DIR';
  let names: string[];
  try {
    names = await readdir(podLogDir);
  } catch (error) {
    const todo = `Mount the node's ${podLogDir} into the agent's pod, read-only, and run as root: it is the kubelet's podLogsDir.`;
    return [fail(what, messageOf(error), todo)];
  }
  const pods = names.filter((name) => parsePodDirectory(podLogDir, name) !== undefined);
  if (pods.length === 0) {
    const todo =
      'Is it the kubelet’s podLogsDir (/var/log/pods unless it was changed), and is the host’s directory mounted there?';
    return [warn(what, `${podLogDir} holds no directory of a pod`, todo)];
  }
  const files = await logFiles(podLogDir, pods);
  const unreadable = await firstUnreadable(files);
  if (unreadable !== undefined) {
    const todo =
      'Log files are root’s, mode 0640 or 0600: run as root, with the capability DAC_READ_SEARCH where others own them.';
    return [fail(what, unreadable, todo)];
  }
  return [ok(what, `${podLogDir} has ${pods.length} pods and ${files.length} log files, all readable`)];
};

/** Whether offsets and dead letters can be kept. */
export const checkStateDirectory: Check = async ({ config: { stateDir } }) => {
  const what = 'STATE_DIR';
  const trouble = stateDirTrouble(stateDir);
  if (trouble !== undefined) {
    const todo =
      'It must be a directory of the node (hostPath) that the agent may write: offsets must outlive the pod.';
    return [fail(what, trouble, todo)];
  }
  const { bavail, bsize } = await statfs(stateDir);
  const free = bavail * bsize;
  const found = `${stateDir} can be written, ${humanBytes(free)} are free`;
  return [
    free < LITTLE_BYTES
      ? warn(what, found, 'Make room: without any, offsets are not saved.')
      : ok(what, found),
  ];
};

/** The log files of all pods, symlinks left out. */
async function logFiles(podLogDir: string, pods: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const pod of pods) {
    for (const container of await readdir(join(podLogDir, pod)).catch(() => [])) {
      const directory = join(podLogDir, pod, container);
      const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
      for (const entry of entries)
        if (entry.isFile() && parseLogName(entry.name) !== undefined) files.push(join(directory, entry.name));
    }
  }
  return files;
}

async function firstUnreadable(files: readonly string[]): Promise<string | undefined> {
  for (const file of files) {
    try {
      await access(file, constants.R_OK);
    } catch (error) {
      if (isGone(error)) continue;
      return messageOf(error);
    }
  }
  // What access(2) promises, a security module may still refuse.
  const [first] = files;
  if (first === undefined) return undefined;
  try {
    const file = await open(first);
    await file.close();
    return undefined;
  } catch (error) {
    return isGone(error) ? undefined : messageOf(error);
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
