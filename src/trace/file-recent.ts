import { stat, type FileHandle } from 'node:fs/promises';
import type { FileNames, OutputFile } from '../writers/file-names.ts';
import { ndjsonRecordEnd, ndjsonStart } from '../writers/ndjson.ts';
import { isCanary } from './canary-trace.ts';
import type { FileIndexes } from './file-index.ts';
import { endOfLines, fileLines } from './file-lines.ts';
import { openIfThere } from './file-sources.ts';
import { compareUnixNano } from './stored-record.ts';
import type { RecentTraces } from './trace-reader.ts';
import { Summary } from './summary.ts';
import type { TraceSummary } from './trace-summary.ts';

/** So much of the end of the files is read: about 50,000 lines. */
const MOST_BYTES = 16 * 2 ** 20;

/** As many as anybody may ask for. */
const MOST_TRACES = 1_000;

/** So many files are looked at: fewer than indexes are kept of. */
const MOST_FILES = 24;

/** `{"timestamp":<unixNano>,"traceId":"<JSON text>","log":`, at the beginning of a line. */
const lineHead = new RegExp(
  `^${ndjsonStart.replace('{', '\\{')}(\\d+),"traceId":("(?:[^"\\\\]|\\\\.)*"),"log":`,
);

/** A file that can be read, and its last lines, which are: from `from` on. */
interface Look {
  readonly file: FileHandle;
  readonly ino: bigint;
  readonly size: number;
  readonly from: number;
}

/** The newest traces among the last lines of the files; where they have not changed, without another look. */
export class FileRecent {
  readonly #names: FileNames;
  readonly #indexes: FileIndexes | undefined;
  #seen: { readonly of: string; readonly traces: readonly TraceSummary[] } | undefined;

  /** @param indexes where the reader lives on: they tell whether a trace has lines that were not read. */
  constructor(names: FileNames, indexes: FileIndexes | undefined) {
    this.#names = names;
    this.#indexes = indexes;
  }

  /** Takes a look at all that the index is asked about. */
  async prepare(signal: AbortSignal): Promise<void> {
    const { files } = await this.#open(signal);
    try {
      if (this.#indexes !== undefined) await mayGoOn(files, [], this.#indexes, signal);
    } finally {
      await closeAll(files);
    }
  }

  /** @throws where there is no file that is written to. */
  async newest(limit: number, signal: AbortSignal): Promise<RecentTraces> {
    const { files, others } = await this.#open(signal);
    try {
      const looks = looksAt(files);
      const of = looks.map(({ ino, size }) => `${ino}-${size}`).join();
      if (this.#seen?.of !== of) this.#seen = { of, traces: await tracesIn(looks, signal) };
      const traces = this.#seen.traces.slice(0, limit);
      const unread = looks.filter(({ from }) => from > 0);
      if (unread.length === 0 && !others) return { traces };
      const ids = traces.map(({ traceId }) => traceId);
      const isPartial =
        this.#indexes === undefined || others
          ? () => true
          : await mayGoOn(unread, ids, this.#indexes, signal);
      return {
        traces: traces.map((one) => ({ ...one, partial: isPartial(one.traceId) })),
        note:
          unread.length > 0
            ? `only the last ${MOST_BYTES / 2 ** 20} MiB of the files were looked at`
            : `of the files only the newest ${MOST_FILES} were looked at, and none that is compressed`,
      };
    } finally {
      await closeAll(files);
    }
  }

  /** The newest of the files that are not compressed, newest first; `others` where there are more. */
  async #open(signal: AbortSignal): Promise<{ files: readonly Omit<Look, 'from'>[]; others: boolean }> {
    const listed = await this.#names.list();
    const newest = await newestFirst(listed.filter(({ compressed }) => !compressed));
    if (!newest.some(({ rotated }) => !rotated))
      throw new Error('there is no such file (yet); FILE_PATH names it');
    const files: Omit<Look, 'from'>[] = [];
    try {
      for (const { path } of newest.slice(0, MOST_FILES)) {
        signal.throwIfAborted();
        const file = await openIfThere(path);
        if (file === undefined) continue;
        const { ino, size } = await file.stat({ bigint: true });
        files.push({ file, ino, size: Number(size) });
      }
      // What was rotated since it was listed was opened under its old name, or not at all.
      const isAll = newest.length <= MOST_FILES && pathsOf(await this.#names.list()) === pathsOf(listed);
      return { files, others: !isAll || hasCompressed(listed) };
    } catch (error) {
      await closeAll(files);
      throw error;
    }
  }
}

/** By when they were written last; those that are gone by now are left out. */
async function newestFirst(files: readonly OutputFile[]): Promise<readonly OutputFile[]> {
  const found = await Promise.all(
    files.map(async (file) => {
      const known = await stat(file.path, { bigint: true }).catch(() => undefined);
      return known === undefined ? [] : [{ ...file, at: known.mtimeNs }];
    }),
  );
  return found.flat().sort((a, b) => Number(b.at - a.at));
}

/** Whether there is one without its plain form: while one is being compressed, it is there twice. */
function hasCompressed(files: readonly OutputFile[]): boolean {
  const paths = new Set(files.map(({ path }) => path));
  return files.some(({ path, compressed }) => compressed && !paths.has(path.slice(0, -3)));
}

function pathsOf(files: readonly OutputFile[]): string {
  return files.map(({ path }) => path).join('\0');
}

async function closeAll(files: readonly { readonly file: FileHandle }[]): Promise<void> {
  await Promise.all(files.map(async ({ file }) => await file.close()));
}

/** How far each is read, where so many bytes are in all. */
function looksAt(files: readonly Omit<Look, 'from'>[]): readonly Look[] {
  let room = MOST_BYTES;
  return files.map((one) => {
    const from = Math.max(0, one.size - room);
    room -= one.size - from;
    return { ...one, from };
  });
}

/** Whether a trace may have lines in what is not read. */
async function mayGoOn(
  unread: readonly (Omit<Look, 'from'> & { readonly from?: number })[],
  traceIds: readonly string[],
  indexes: FileIndexes,
  signal: AbortSignal,
): Promise<(traceId: string) => boolean> {
  const may = new Set<string>();
  for (const { file, ino, size, from = size } of unread) {
    const to = await endOfLines(file, size);
    for (const id of await indexes.of(ino).before(file, { from, to, traceIds }, signal)) may.add(id);
  }
  return (traceId) => may.has(traceId);
}

/** Newest first. */
async function tracesIn(looks: readonly Look[], signal: AbortSignal): Promise<readonly TraceSummary[]> {
  const traces = new Map<string, Summary>();
  for (const { file, from, size } of looks) {
    let first = from > 0;
    for await (const { text } of fileLines(file, { from, to: size }, signal)) {
      const lines = text.toString('latin1').split('\n');
      lines.pop();
      // Where the reading begins, the line has most likely begun before.
      if (first) lines.shift();
      first = false;
      for (const line of lines) add(traces, line);
    }
  }
  return [...traces.values()]
    .sort((a, b) => compareUnixNano(b.last, a.last))
    .slice(0, MOST_TRACES)
    .map((summary) => summary.result({ partial: false }));
}

/** @param line one character for each byte. */
function add(traces: Map<string, Summary>, line: string): void {
  const [head = '', unixNano, quoted] = lineHead.exec(line) ?? [];
  if (unixNano === undefined || quoted === undefined) return;
  const traceId = JSON.parse(Buffer.from(quoted, 'latin1').toString('utf8')) as string;
  if (isCanary(traceId)) return;
  let summary = traces.get(traceId);
  if (summary === undefined) traces.set(traceId, (summary = new Summary(traceId)));
  const bytes = Buffer.from(line, 'latin1');
  summary.add({ unixNano, bytes: bytes.subarray(head.length, ndjsonRecordEnd(bytes, bytes.length)) });
}
