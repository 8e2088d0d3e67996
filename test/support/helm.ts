import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findGoProgram } from './go-program.ts';

/** Of the cluster that manifests are rendered for; a Helm that was built without its Makefile says 1.20. */
const KUBERNETES = '1.30.0';

/** Finds `helm`. @throws where there is none and none can be built. */
export async function findHelm(): Promise<string> {
  return await findGoProgram({
    name: 'helm',
    package: 'helm.sh/helm/v3/cmd/helm',
    version: 'v3.22.0',
    variable: 'HELM_BIN',
    probe: ['version'],
  });
}

/** The manifests that a chart renders to, as YAML. */
export async function helmTemplate(
  helm: string,
  chart: string,
  args: readonly string[] = [],
): Promise<string> {
  const cluster = ['--namespace', 'frostbeat', '--kube-version', KUBERNETES];
  const { stdout } = await promisify(execFile)(helm, ['template', 'frostbeat', chart, ...cluster, ...args]);
  return stdout;
}

/** Helm's flags for these values, by their paths. JSON keeps what `--set` would take for lists and other types. */
export function valueFlags(values: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(values).flatMap(([path, value]) => [
    '--set-json',
    `${path}=${JSON.stringify(value)}`,
  ]);
}
