import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const run = promisify(execFile);
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'frostbeat-test with space-'));
  await mkdir(join(directory, 'dist/record'), { recursive: true });
  for (const file of ['package.json', 'dist/record/scan-record.js', 'dist/record/unix-nano.js']) {
    await cp(file, join(directory, file));
  }
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

const built = (): string => join(directory, 'dist/record/record.wasm');

/** Loads the scanner of the directory in a process of its own. */
async function load(...flags: string[]): Promise<unknown> {
  const module = pathToFileURL(join(directory, 'dist/record/scan-record.js')).href;
  return run(process.execPath, [...flags, '--input-type=module', '-e', `import ${JSON.stringify(module)}`]);
}

describe('what scans records', () => {
  it('is loaded from a directory with a space', async () => {
    await cp('dist/record/record.wasm', built());
    await expect(load()).resolves.toMatchObject({ stderr: '' });
  });

  it('says what is missing, and what makes it', async () => {
    await expect(load()).rejects.toThrow(`Cannot load ${built()}: «npm run build» makes it`);
  });

  it('says the same of a file that is cut off', async () => {
    const whole = await readFile('dist/record/record.wasm');
    for (const length of [0, 4, 1000, whole.length - 1]) {
      await writeFile(built(), whole.subarray(0, length));
      await expect(load()).rejects.toThrow(`Cannot load ${built()}: «npm run build» makes it`);
    }
  });

  it('says that Node runs without WebAssembly', async () => {
    await cp('dist/record/record.wasm', built());
    await expect(load('--jitless')).rejects.toThrow('this Node runs without: does it have --jitless?');
  });
});
