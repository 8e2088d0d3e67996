import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { installDebianPackage } from './debian-package.ts';

const run = promisify(execFile);

/** What can render a kustomization here, as a command and its first arguments; undefined where nothing can. */
export type Kustomize = readonly [command: string, ...args: string[]];

/**
 * Finds `kustomize` or `kubectl` on the PATH, else installs Debian's kubectl.
 *
 * @throws where there is none and none can be installed.
 */
export async function findKustomize(): Promise<Kustomize> {
  const found = await firstThatRuns();
  if (found !== undefined) return found;
  await installDebianPackage('kubernetes-client');
  const installed = await firstThatRuns();
  if (installed === undefined)
    throw new Error('Cannot find kubectl: its package is installed, its command is not');
  return installed;
}

/** The YAML that a kustomization renders to. */
export async function kustomize([command, ...args]: Kustomize, folder: string): Promise<string> {
  const { stdout } = await run(command, [...args, folder]);
  return stdout;
}

async function firstThatRuns(): Promise<Kustomize | undefined> {
  const candidates = [
    { version: ['kustomize', 'version'], build: ['kustomize', 'build'] },
    { version: ['kubectl', 'version', '--client'], build: ['kubectl', 'kustomize'] },
  ] as const;
  for (const { version, build } of candidates) {
    const [command, ...args] = version;
    const runs = await run(command, args).then(
      () => true,
      () => false,
    );
    if (runs) return build;
  }
  return undefined;
}
