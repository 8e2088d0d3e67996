import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sourcesOf } from '../../src/trace/file-sources.ts';
import type { OutputFile } from '../../src/writers/file-names.ts';

const { signal } = new AbortController();

it('files on several file systems are refused: their inodes do not tell them apart', async ({ skip }) => {
  const roots = [tmpdir(), '/dev/shm', '/var/tmp'];
  const devices = new Map(
    await Promise.all(roots.map(async (root) => [(await stat(root)).dev, root] as const)),
  );
  skip(devices.size < 2, `NOT TESTED: ${roots.join(', ')} are on one file system`);
  const directories = await Promise.all(
    [...devices.values()].slice(0, 2).map((root) => mkdtemp(join(root, 'frostbeat-test-'))),
  );
  const files = directories.map((directory): OutputFile => {
    const path = join(directory, 'records.ndjson');
    return { path, node: '', compressed: false, rotated: false };
  });
  for (const { path } of files) await writeFile(path, '');
  const list = async (): Promise<OutputFile[]> => await Promise.resolve(files);
  const opened: string[] = [];
  const all = async (): Promise<void> => {
    for await (const { file, path } of sourcesOf({ list }, { traceId: 't', mark: undefined }, signal)) {
      opened.push(path);
      await file.close();
    }
  };
  await expect(all()).rejects.toThrow(`${files[1]!.path} is on another file system than ${files[0]!.path}`);
  expect(opened).toEqual([files[0]!.path]);
  for (const directory of directories) await rm(directory, { recursive: true });
});
