import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Check, type Finding, ok, skip, warn } from './finding.ts';

/** What the agent needs besides log files: sockets, the state, its own modules. */
const OTHER_DESCRIPTORS = 100;
/** A container has its live file, one that was just rotated, and what an outage keeps open: five by default. */
const FILES_PER_CONTAINER = 5;

/** Whether descriptors and inotify watches last for what is on this node. */
export const checkLimits: Check = async ({ config: { podLogDir }, procDir }) => {
  const pods = await readdir(podLogDir).catch(() => []);
  const perPod = await Promise.all(
    pods.map(async (pod) => await readdir(join(podLogDir, pod)).catch(() => [])),
  );
  const containers = perPod.flat().length;
  return [
    await descriptors(procDir, containers),
    // One watch for POD_LOG_DIR and one a pod; the whole node shares them.
    await inotify(procDir, 'max_user_watches', pods.length + 1),
    await inotify(procDir, 'max_user_instances', 1),
  ];
};

async function descriptors(procDir: string, containers: number): Promise<Finding> {
  const what = 'descriptors';
  const text = await readFile(join(procDir, 'self/limits'), 'utf8').catch(() => '');
  const limit = Number(/^Max open files\s+(\d+)/m.exec(text)?.[1] ?? Number.NaN);
  if (Number.isNaN(limit)) return skip(what, `${procDir}/self/limits does not tell the limit`);
  const need = containers * FILES_PER_CONTAINER + OTHER_DESCRIPTORS;
  const found = `${limit} may be open; ${containers} containers take up to ${need}`;
  const todo = 'Raise the limit of the container runtime (LimitNOFILE of containerd or CRI-O).';
  return limit < need ? warn(what, found, todo) : ok(what, found);
}

async function inotify(procDir: string, name: string, need: number): Promise<Finding> {
  const what = `inotify ${name}`;
  const text = await readFile(join(procDir, 'sys/fs/inotify', name), 'utf8').catch(() => undefined);
  if (text === undefined) return skip(what, 'the kernel does not tell it here');
  const limit = Number(text);
  const found = `${limit}, shared by all processes of the user; the agent needs ${need}`;
  const todo = `Without a watch changes are seen by listing every 5 s. Raise it on the node: sysctl fs.inotify.${name}=${Math.max(524_288, need * 10)}`;
  // Others need some too.
  return limit < need * 2 + (name === 'max_user_instances' ? 64 : 1_000)
    ? warn(what, found, todo)
    : ok(what, found);
}
