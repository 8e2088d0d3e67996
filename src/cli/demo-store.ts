import type { StoredLine } from '../demo/compare-trace.ts';
import { PrettyTrace } from '../trace/pretty.ts';
import type { TraceReader } from '../trace/trace-reader.ts';
import type { Output } from './context.ts';

/** What the demo's agent has stored, read as `frostbeat trace` reads it. */
export class DemoStore {
  readonly #reader: TraceReader;

  constructor(reader: TraceReader) {
    this.#reader = reader;
  }

  /** The records of one trace, in the order of time. */
  async read(traceId: string, signal: AbortSignal): Promise<StoredLine[]> {
    const lines: StoredLine[] = [];
    try {
      for await (const { unixNano, bytes } of this.#reader.read(traceId, signal)) {
        lines.push({ unixNano, json: bytes.toString('utf8') });
      }
    } catch (error) {
      // The file is made with its first record.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    return lines;
  }

  /** Prints one trace for a person. */
  async print(
    traceId: string,
    stdout: Output,
    { color, signal }: { color: boolean; signal: AbortSignal },
  ): Promise<void> {
    const records = await Array.fromAsync(this.#reader.read(traceId, signal));
    const [first, last] = [records[0], records.at(-1)];
    const pretty = new PrettyTrace({ color, span: first && last && { first, last } });
    for (const record of records) stdout.write(pretty.lines(record));
  }

  close(): Promise<void> {
    return this.#reader.close();
  }
}
