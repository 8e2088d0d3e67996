import {
  createReadStream,
  createWriteStream,
  existsSync,
  readdirSync,
  renameSync,
  unlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Clock } from './clock.ts';
import type { ContainerLog } from './container-log.ts';

/** A point of a rotation at which the files are as a reader may find them. */
export type RotationStep =
  'cleaned' | 'compressing' | 'compressed' | 'no_live_file' | 'reopened' | 'renamed_back';

export interface RotationOptions {
  /** Most files of a container, the live one counted: at least 2. The kubelet's default is 5. */
  readonly maxFiles: number;
  readonly clock: Clock;
  /** Called and awaited at each step; where it throws, the kubelet has died there. */
  readonly at?: (step: RotationStep) => Promise<void> | void;
  /** The runtime cannot reopen: the file is renamed back. */
  readonly reopenFails?: boolean;
}

/**
 * Rotates a log as the kubelet does (kubernetes/kubernetes pkg/kubelet/logs/container_log_manager.go `rotateLog`),
 * in its order: unused files go, then the oldest; what is plain is compressed; the live file is renamed; the
 * runtime reopens. One difference: the real one overwrites a file rotated in the same second, this takes the
 * next second that is free.
 *
 * @returns whether the runtime writes a new file now.
 */
export async function rotateAsKubelet(log: ContainerLog, options: RotationOptions): Promise<boolean> {
  const { maxFiles, clock, at = () => {}, reopenFails = false } = options;
  removeUnused(log.path);
  removeOldest(log.path, Math.max(0, maxFiles - 2));
  await at('cleaned');
  for (const plain of rotatedFiles(log.path).filter((path) => !path.endsWith('.gz'))) {
    await compress(plain, at);
  }
  const rotated = freeName(log.path, clock());
  renameSync(log.path, rotated);
  await at('no_live_file');
  if (reopenFails) {
    renameSync(rotated, log.path);
    await at('renamed_back');
    return false;
  }
  log.reopen();
  await at('reopened');
  return true;
}

/** Every file that a rotation of this log has left, the oldest first. */
function rotatedFiles(path: string): string[] {
  const prefix = `${basename(path)}.`;
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(prefix))
    .toSorted()
    .map((name) => join(dirname(path), name));
}

function removeUnused(path: string): void {
  const files = rotatedFiles(path);
  const unused = (file: string) =>
    !file.endsWith('.gz') && (file.endsWith('.tmp') || files.includes(`${file}.gz`));
  for (const file of files.filter(unused)) unlinkSync(file);
}

function removeOldest(path: string, most: number): void {
  const files = rotatedFiles(path);
  for (const file of files.slice(0, Math.max(0, files.length - most))) unlinkSync(file);
}

async function compress(path: string, at: (step: RotationStep) => Promise<void> | void): Promise<void> {
  const temporary = `${path}.tmp`;
  await pipeline(createReadStream(path), createGzip(), createWriteStream(temporary));
  await at('compressing');
  renameSync(temporary, `${path}.gz`);
  await at('compressed');
  unlinkSync(path);
}

/** `<path>.YYYYMMDD-HHMMSS`, later than all that are there, so that the order of names is the order of time. */
function freeName(path: string, unixNano: bigint): string {
  const last = rotatedFiles(path).at(-1) ?? '';
  for (let second = unixNano / 1_000_000_000n; ; second++) {
    const iso = new Date(Number(second) * 1000).toISOString();
    const name = `${path}.${iso.slice(0, 10).replaceAll('-', '')}-${iso.slice(11, 19).replaceAll(':', '')}`;
    if (name > last.replace(/\.gz$/, '') && !existsSync(name)) return name;
  }
}
