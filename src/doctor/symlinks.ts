import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { allowedRoots } from '../tail/allowed-roots.ts';
import { listLogs } from '../tail/list-logs.ts';
import { type Check, fail, type Finding, ok } from './finding.ts';

/** Whether what symlinked log files (Docker's) lead to is mounted, and allowed. */
export const checkSymlinks: Check = async ({ config: { podLogDir, logRoots } }) => {
  const what = 'symlinks';
  const roots = allowedRoots([podLogDir, ...logRoots])();
  let links = 0;
  const broken: string[] = [];
  const outside = new Map<string, string>();
  for (const directory of await containerDirectories(podLogDir)) {
    const { refusals, targets } = listed(directory, roots);
    links += targets.length + refusals.length;
    for (const { path, reason, target } of refusals) {
      if (reason === 'symlink_broken') broken.push(path);
      else outside.set(dirname(dirname(target ?? '')), path);
    }
  }
  const findings: Finding[] = [];
  const [first] = broken;
  if (first !== undefined) {
    const todo = `Mount what they lead to, read-only, at the same path: with Docker /var/lib/docker/containers.`;
    findings.push(fail(what, `${broken.length} log files lead nowhere, ${first} among them`, todo));
  }
  for (const [root, path] of outside) {
    const todo = `If that is right, add it to LOG_ROOTS: LOG_ROOTS=${[...logRoots, root].join(',')}`;
    findings.push(fail(what, `${path} leads to ${root}, which is not allowed`, todo));
  }
  if (findings.length > 0) return findings;
  return [
    ok(what, links === 0 ? 'no log file is one' : `${links} log files are, and lead to what may be read`),
  ];
};

async function below(path: string): Promise<string[]> {
  return (await readdir(path).catch(() => [])).map((name) => join(path, name));
}

async function containerDirectories(podLogDir: string): Promise<string[]> {
  return (await Promise.all((await below(podLogDir)).map(below))).flat();
}

function listed(directory: string, roots: readonly string[]) {
  try {
    return listLogs(directory, roots);
  } catch {
    return { refusals: [], targets: [] }; // Gone, or no directory: the check of POD_LOG_DIR tells.
  }
}
