import { once } from 'node:events';
import type { Config } from '../config/config.ts';
import { inert } from '../util/inert.ts';
import { PrettyTrace } from '../trace/pretty.ts';
import { defaultReadable, type Readable, selectTraceReader } from '../trace/select-reader.ts';
import type { StoredRecord } from '../trace/trace-reader.ts';
import type { Context, Output } from './context.ts';

export interface TraceRequest extends Pick<Context, 'env' | 'stdout' | 'stderr' | 'signal'> {
  readonly traceId: string;
  /** Default: `pretty` on a terminal, `json` (NDJSON, each record byte for byte) elsewhere. */
  readonly output?: 'pretty' | 'json' | undefined;
  /** Default: the first of WRITERS that can be read. */
  readonly from?: Readable | undefined;
  readonly config: Config;
}

/**
 * `frostbeat trace <traceId>`: prints the records of a trace in order.
 *
 * @returns 0; 1 where there are none or they cannot be read; 2 where no destination can be asked. Asked to
 *   stop, it ends with 0.
 */
export async function traceCommand(request: TraceRequest): Promise<number> {
  const { traceId, config, stdout, stderr, signal } = request;
  const from = request.from ?? defaultReadable(config);
  if (from === undefined) {
    stderr.write(
      `frostbeat: WRITERS is «${inert(config.writers.join(','))}»: traces can be read from etcd or file; say which with --from\n`,
    );
    return 2;
  }
  const reader = await selectTraceReader(from, config);
  try {
    const format = formatter(request);
    let count = 0;
    for await (const record of reader.read(traceId, signal)) {
      count++;
      await write(stdout, format(record), signal);
    }
    if (count > 0) return 0;
    stderr.write(`frostbeat: no record of the trace «${inert(traceId)}» in ${reader.name}\n`);
    return 1;
  } catch (error) {
    if (signal.aborted) return 0;
    stderr.write(
      `frostbeat: Cannot read the trace from ${reader.name}: ${inert(error instanceof Error ? error.message : String(error))}\n`,
    );
    return 1;
  } finally {
    await reader.close();
  }
}

function formatter({ output, stdout, env }: TraceRequest): (record: StoredRecord) => string | Buffer {
  const terminal = stdout.isTTY === true;
  if ((output ?? (terminal ? 'pretty' : 'json')) === 'pretty') {
    const pretty = new PrettyTrace({ color: terminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb' });
    return (record) => pretty.lines(record);
  }
  if (terminal) return ({ bytes }) => `${inert(bytes.toString('utf8'))}\n`;
  return ({ bytes }) => Buffer.concat([bytes, lineFeed]);
}

const lineFeed = Buffer.from('\n');

/** Waits where the reader of the output is slower than the trace's. */
async function write(stdout: Output, chunk: string | Buffer, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (!stdout.write(chunk)) await once(stdout, 'drain', { signal });
}
