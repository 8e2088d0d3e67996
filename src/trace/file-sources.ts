import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import split2 from 'split2';
import type { FileNames, OutputFile } from '../writers/file-names.ts';
import { ndjsonTrace } from '../writers/ndjson.ts';
import type { FileMark } from './file-mark.ts';

/** A file that can be read at any place, and up to where. */
export interface Source {
  readonly path: string;
  readonly file: FileHandle;
  /** In bytes. */
  readonly to: number;
  /** Negative where it is temporary: it may be on another file system. */
  readonly ino: bigint;
  readonly dev: bigint;
  /** The lines of one trace alone, made for this reading. */
  readonly temporary: boolean;
}

/**
 * The files of the output, the oldest first, one at a time; each is the caller's to close. Of a compressed one, the
 * lines of the trace.
 *
 * @param mark what was there; files made later are left out.
 * @throws Error where there is none, and where they are on several file systems: an inode tells them apart on one alone.
 */
export async function* sourcesOf(
  names: Pick<FileNames, 'list'>,
  { traceId, mark }: { traceId: string; mark: FileMark | undefined },
  signal: AbortSignal,
): AsyncGenerator<Source, void> {
  const files = await names.list();
  if (files.length === 0) throw new Error('there is no such file (yet); FILE_PATH names it');
  let first: Source | undefined;
  const plain = new Set(files.filter(({ compressed }) => !compressed).map(({ path }) => path));
  for (const output of files) {
    signal.throwIfAborted();
    const { path, compressed } = output;
    // While one is being compressed, or was when a crash came, it is there twice.
    if (compressed && plain.has(path.slice(0, -3))) continue;
    const source =
      (compressed ? undefined : await ifThere(openPlain(output, mark))) ??
      // It may have been compressed since it was listed.
      (await ifThere(unzipped(compressed ? path : `${path}.gz`, traceId, signal)));
    if (source === undefined || source === 'later') continue;
    if (!source.temporary) first ??= source;
    if (!source.temporary && first !== undefined && source.dev !== first.dev) {
      await source.file.close();
      throw new Error(`${path} is on another file system than ${first.path}: FILE_PATH must be on one`);
    }
    yield source;
  }
}

async function openPlain(
  { path, rotated }: OutputFile,
  mark: FileMark | undefined,
): Promise<Source | 'later'> {
  const file = await open(path);
  const { ino, dev, size } = await file.stat({ bigint: true });
  const known = mark?.offsets.get(ino);
  if (mark === undefined || known !== undefined || rotated) {
    return { path, file, to: known ?? Number(size), ino, dev, temporary: false };
  }
  await file.close();
  return 'later';
}

/** The lines of the trace, in a temporary file that has no name any more: a compressed one has no places to read at. */
async function unzipped(path: string, traceId: string, signal: AbortSignal): Promise<Source> {
  const needle = ndjsonTrace(traceId);
  const temporary = join(tmpdir(), `frostbeat-trace-${randomUUID()}`);
  const file = await open(temporary, 'wx+', 0o600);
  await rm(temporary);
  try {
    let to = 0;
    const lines = createReadStream(path)
      .compose(createGunzip())
      .setEncoding('latin1')
      .compose(split2('\n', { decodeStrings: false }), { signal });
    for await (const line of lines as AsyncIterable<string>) {
      if (!line.includes(needle)) continue;
      const bytes = Buffer.from(`${line}\n`, 'latin1');
      await file.write(bytes, 0, bytes.length, to);
      to += bytes.length;
    }
    const { ino, dev } = await file.stat({ bigint: true });
    return { path, file, to, ino: -ino, dev, temporary: true };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** @returns undefined where there is no such file. */
export async function openIfThere(path: string): Promise<FileHandle | undefined> {
  return await ifThere(open(path));
}

async function ifThere<T>(opening: Promise<T>): Promise<T | undefined> {
  try {
    return await opening;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  }
}
