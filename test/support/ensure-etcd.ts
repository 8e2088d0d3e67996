import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * The etcd server that tests run: ETCD_BIN, else the one on PATH; undefined when there is none.
 *
 * @throws Error when ETCD_BIN names no program: a typing mistake must not pick another server in silence.
 */
export function findEtcd(): string | undefined {
  const named = process.env['ETCD_BIN'];
  if (named !== undefined && named !== '') {
    if (isProgram(named)) return named;
    throw new Error(`Cannot run etcd: ETCD_BIN is ${named}, which is no program`);
  }
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/bin', '/usr/bin'];
  return directories.map((directory) => join(directory, 'etcd')).find(isProgram);
}

/**
 * Makes sure that there is an etcd server, before any test runs (vitest's `globalSetup`): tests never install.
 *
 * @throws Error that says what to do where it cannot.
 */
export function setup(): void {
  if (findEtcd() !== undefined) return;
  const advice = 'Install etcd 3.4 or later and put it on PATH, or set ETCD_BIN to its program';
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).status !== 0) {
    throw new Error(`Cannot run the tests: no etcd server is on PATH. ${advice}`);
  }
  process.stderr.write('Installing the Debian package etcd-server …\n');
  try {
    aptGet('update', '-q');
    // RUNLEVEL=1 keeps the package from starting a server of its own.
    aptGet('install', '-q', '-y', '--no-install-recommends', 'etcd-server');
  } catch (cause) {
    throw new Error(`Cannot run the tests: apt-get could not install etcd-server. ${advice}`, { cause });
  }
  if (findEtcd() === undefined) {
    throw new Error(`Cannot run the tests: etcd-server is installed, and etcd is not on PATH. ${advice}`);
  }
}

function aptGet(...args: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  execFileSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
