import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Installs a Debian package, which may take a minute.
 *
 * @throws where that is impossible: not root, no Debian, or no network.
 */
export async function installDebianPackage(name: string): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error(`Cannot install ${name}: only root may`);
  try {
    await apt('update');
    await apt('install', '--yes', '--no-install-recommends', name);
  } catch (cause) {
    throw new Error(`Cannot install ${name}: apt-get failed`, { cause });
  }
}

/** One at a time: test files run side by side, and apt has locks of its own that it does not wait for. */
async function apt(...args: string[]): Promise<void> {
  await run('flock', ['/tmp/frostbeat-apt.lock', 'apt-get', '-q', '-o', 'DPkg::Lock::Timeout=120', ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: 240_000,
  });
}

/**
 * Unpacks a Debian package into a directory of its own without installing it, so that no service of it is
 * started, and returns the directory; a package that is unpacked already stays.
 *
 * @throws where that is impossible: no Debian, or no network.
 */
export async function unpackDebianPackage(name: string): Promise<string> {
  const directory = join(tmpdir(), `frostbeat-debian-${process.getuid?.() ?? 0}`);
  const unpacked = join(directory, name);
  await mkdir(directory, { recursive: true });
  try {
    // Packed into a name of its own first: whoever sees the name sees all of it.
    const script = `set -e; test -d ${name} && exit 0; work=$(mktemp -d ./${name}.XXXXXX); cd "$work"
      apt-get download -q ${name} || { apt-get update -q && apt-get download -q ${name}; }
      dpkg -x ${name}_*.deb files; mv files ../${name}; cd ..; rm -rf "$work"`;
    await run('flock', ['/tmp/frostbeat-apt.lock', 'sh', '-c', script], { cwd: directory, timeout: 240_000 });
  } catch (cause) {
    throw new Error(`Cannot unpack ${name}: apt-get or dpkg failed`, { cause });
  }
  return unpacked;
}
