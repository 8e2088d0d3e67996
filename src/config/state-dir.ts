import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectories } from '../util/make-directories.ts';

/** Makes the directory and really writes and syncs a file in it; says what fails, undefined where nothing does. */
export function stateDirTrouble(directory: string): string | undefined {
  const probe = join(directory, `.probe-${process.pid}`);
  try {
    makeDirectories(directory);
    const file = openSync(probe, 'w');
    try {
      writeSync(file, 'frostbeat');
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    rmSync(probe);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
