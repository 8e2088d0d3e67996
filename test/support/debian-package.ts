import { execFile } from 'node:child_process';
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
