import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { unpackDebianPackage } from './debian-package.ts';

/** The path of Prometheus' promtool: PROMTOOL_BIN, else on the PATH, else out of Debian's package. @throws where there is none. */
export async function findPromtool(): Promise<string> {
  const named = process.env['PROMTOOL_BIN'];
  if (named !== undefined && named !== '') return named;
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(directory, 'promtool');
    if (await isProgram(path)) return path;
  }
  // Unpacked, not installed: installing it would start a Prometheus server.
  return join(await unpackDebianPackage('prometheus'), 'usr/bin/promtool');
}

/** Runs promtool; its exit code, and what it said on both outputs. */
export async function promtool(
  program: string,
  args: readonly string[],
  input = '',
): Promise<{ code: number | null; said: string }> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  for (const out of [child.stdout, child.stderr]) {
    out.setEncoding('utf8').on('data', (text: string) => void (said += text));
  }
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said };
}

async function isProgram(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
