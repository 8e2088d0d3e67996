import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The version that is built where there is none. */
const VERSION = 'v3.22.0';
/** Compiling it takes two minutes on an idle machine of two cores, and more on a busy one. */
export const HELM_LIMIT_MS = 20 * 60_000;

/**
 * Finds `helm`: HELM_BIN, else the one on PATH, else one that is built once with Go into ~/.cache/frostbeat.
 *
 * @throws where HELM_BIN is no Helm, or there is none and none can be built.
 */
export async function findHelm(): Promise<string> {
  const named = process.env['HELM_BIN'];
  if (named !== undefined && named !== '') {
    if (await runs(named)) return named;
    throw new Error(`Cannot run Helm: HELM_BIN is ${named}, which is no helm`);
  }
  const cache = join(
    process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
    'frostbeat',
    `helm-${VERSION}`,
  );
  const built = join(cache, 'helm');
  for (const candidate of ['helm', built]) if (await runs(candidate)) return candidate;
  await build(cache);
  return built;
}

/** Of the cluster that manifests are rendered for; a Helm that was built without its Makefile says 1.20. */
const KUBERNETES = '1.30.0';

/** The manifests that a chart renders to, as YAML. */
export async function helmTemplate(
  helm: string,
  chart: string,
  args: readonly string[] = [],
): Promise<string> {
  const cluster = ['--namespace', 'frostbeat', '--kube-version', KUBERNETES];
  const { stdout } = await run(helm, ['template', 'frostbeat', chart, ...cluster, ...args]);
  return stdout;
}

/** Helm's flags for these values, by their paths. JSON keeps what `--set` would take for lists and other types. */
export function valueFlags(values: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(values).flatMap(([path, value]) => [
    '--set-json',
    `${path}=${JSON.stringify(value)}`,
  ]);
}

async function build(directory: string): Promise<void> {
  const advice = 'Put helm 3 on PATH, set HELM_BIN, or install Go, with which it is built';
  await run('go', ['version']).catch((cause: unknown) => {
    throw new Error(`Cannot run Helm: there is none, and no Go. ${advice}`, { cause });
  });
  await mkdir(directory, { recursive: true });
  process.stderr.write(`Building Helm ${VERSION} with Go, once; it takes some minutes …\n`);
  const lock = join(directory, 'lock');
  // One at a time: test files run side by side. Who waited finds it built, and Go does nothing.
  await run('flock', [lock, 'go', 'install', `helm.sh/helm/v3/cmd/helm@${VERSION}`], {
    env: { ...process.env, GOBIN: directory, GOFLAGS: '', CGO_ENABLED: '0' },
    timeout: HELM_LIMIT_MS,
    maxBuffer: 64 * 2 ** 20,
  }).catch((cause: unknown) => {
    throw new Error(`Cannot run Helm: Go could not build it. ${advice}`, { cause });
  });
}

async function runs(command: string): Promise<boolean> {
  return await run(command, ['version', '--template', '{{.Version}}']).then(
    ({ stdout }) => /^v[34]\./.test(stdout),
    () => false,
  );
}
