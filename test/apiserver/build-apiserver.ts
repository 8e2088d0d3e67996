import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Kubernetes 1.36.3; its published libraries are v0.36.3. */
const VERSION = '36.3';
/** It took 5 minutes of CPU time for Go to compile it, and 14 on a busy machine of two cores. */
export const BUILD_LIMIT_MS = 60 * 60_000;

/**
 * The path of a real kube-apiserver: KUBE_APISERVER_BIN, else one that is built once with Go into
 * ~/.cache/frostbeat.
 *
 * @throws where it cannot be built.
 */
export async function findKubeApiserver(): Promise<string> {
  const named = process.env['KUBE_APISERVER_BIN'];
  if (named !== undefined && named !== '') return named;
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const directory = join(cache, 'frostbeat', `kube-apiserver-1.${VERSION}`);
  const program = join(directory, 'kube-apiserver');
  const isThere = await run(program, ['--version']).then(
    () => true,
    () => false,
  );
  if (!isThere) await build(directory, program);
  return program;
}

/**
 * Kubernetes' own go.mod takes its libraries from its source tree, which a Go module does not have: a module of
 * our own replaces them by the published ones of the same version.
 */
async function build(directory: string, program: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  process.stderr.write(`Building kube-apiserver 1.${VERSION} with Go, once; it takes many minutes …\n`);
  const go = async (...args: string[]) =>
    await run('nice', ['-n', '10', 'go', ...args], {
      cwd: directory,
      env: { ...process.env, GOFLAGS: '-mod=mod -buildvcs=false', CGO_ENABLED: '0' },
      timeout: BUILD_LIMIT_MS,
      maxBuffer: 64 * 2 ** 20,
    });
  const { stdout } = await go('mod', 'download', '-json', `k8s.io/kubernetes@v1.${VERSION}`);
  const { GoMod: path } = JSON.parse(stdout) as { GoMod: string };
  const own = await readFile(path, 'utf8');
  const libraries = [...own.matchAll(/^\t(k8s\.io\/[\w-]+) => \.\/staging/gm)].map(([, name]) => name ?? '');
  if (libraries.length === 0) throw new Error(`Cannot build kube-apiserver: ${path} replaces nothing`);
  await writeFile(
    join(directory, 'go.mod'),
    [
      'module frostbeat.test/kube-apiserver',
      /^go .*$/m.exec(own)?.[0] ?? '',
      `require k8s.io/kubernetes v1.${VERSION}`,
      ...libraries.map((name) => `replace ${name} => ${name} v0.${VERSION}`),
    ].join('\n'),
  );
  // What is only named here belongs to the module, and so is resolved.
  await writeFile(
    join(directory, 'tools.go'),
    '//go:build tools\n\npackage tools\n\nimport _ "k8s.io/kubernetes/cmd/kube-apiserver"\n',
  );
  const version = `-s -w -X k8s.io/component-base/version.gitVersion=v1.${VERSION}`;
  await go('build', '-trimpath', '-ldflags', version, '-o', program, 'k8s.io/kubernetes/cmd/kube-apiserver');
}
