import type { FileHandle } from 'node:fs/promises';
import { ndjsonRecordEnd, ndjsonStart } from '../writers/ndjson.ts';
import { isCanary } from './canary-trace.ts';
import { fileLines } from './file-lines.ts';
import { compareUnixNano } from './stored-record.ts';
import type { RecentTraces } from './trace-reader.ts';
import { Summary } from './summary.ts';
import type { TraceSummary } from './trace-summary.ts';

/** So much of the end of the file is read: about 50,000 lines. */
const MOST_BYTES = 16 * 2 ** 20;

/** As many as anybody may ask for. */
const MOST_TRACES = 1_000;

/** `{"timestamp":<unixNano>,"traceId":"<JSON text>","log":`, at the beginning of a line. */
const lineHead = new RegExp(
  `^${ndjsonStart.replace('{', '\\{')}(\\d+),"traceId":("(?:[^"\\\\]|\\\\.)*"),"log":`,
);

/** The newest traces among the last lines of the file; of a file that has not changed, without another look. */
export class FileRecent {
  #seen:
    { readonly ino: number; readonly size: number; readonly traces: readonly TraceSummary[] } | undefined;

  /** `from` is where the looking began: in a line that was left out, unless it is 0. */
  async newest(
    file: FileHandle,
    limit: number,
    signal: AbortSignal,
  ): Promise<RecentTraces & { readonly from: number }> {
    const { ino, size } = await file.stat();
    if (this.#seen?.ino !== ino || this.#seen.size !== size) {
      this.#seen = { ino, size, traces: await tracesAtEnd(file, size, signal) };
    }
    const from = beginOf(size);
    return {
      traces: this.#seen.traces.slice(0, limit),
      from,
      ...(from > 0 && { note: `only the last ${MOST_BYTES / 2 ** 20} MiB of the file were looked at` }),
    };
  }
}

function beginOf(size: number): number {
  return Math.max(0, size - MOST_BYTES);
}

/** Newest first. */
async function tracesAtEnd(
  file: FileHandle,
  size: number,
  signal: AbortSignal,
): Promise<readonly TraceSummary[]> {
  const from = beginOf(size);
  const traces = new Map<string, Summary>();
  let first = from > 0;
  for await (const { text } of fileLines(file, { from, to: size }, signal)) {
    const lines = text.toString('latin1').split('\n');
    lines.pop();
    // Where the reading begins, the line has most likely begun before.
    if (first) lines.shift();
    first = false;
    for (const line of lines) add(traces, line);
  }
  return [...traces.values()]
    .sort((a, b) => compareUnixNano(b.last, a.last))
    .slice(0, MOST_TRACES)
    .map((summary) => summary.result({ partial: from > 0 }));
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
