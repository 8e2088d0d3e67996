import type { ReadOptions, TraceReader } from '../trace/trace-reader.ts';
import { cursorText } from './cursor.ts';
import type { Limits } from './limits.ts';
import { Problem } from './problem.ts';
import { recordJson } from './record-json.ts';

export interface PageRequest extends ReadOptions {
  readonly traceId: string;
  /** At most the limit's. */
  readonly limit: number;
}

/**
 * One page of a trace, as JSON text.
 *
 * @throws Problem where nothing was found in the time there is.
 */
export async function tracePage(
  reader: TraceReader,
  { traceId, limit, ...options }: PageRequest,
  limits: Limits,
  signal: AbortSignal,
): Promise<string> {
  const time = AbortSignal.timeout(limits.pageMs);
  const both = AbortSignal.any([signal, time]);
  const records: string[] = [];
  let bytes = 0;
  let next: string | undefined;
  let at = options.at;
  try {
    at ??= await reader.now(both);
    for await (const record of reader.read(traceId, both, { ...options, at })) {
      const json = recordJson(record);
      records.push(json);
      bytes += json.length;
      if (records.length === limit || bytes >= limits.pageBytes) {
        next = cursorText({ at, after: record });
        break;
      }
    }
  } catch (error) {
    if (!time.aborted || signal.aborted) throw error;
    throw new Problem(
      504,
      `The store took longer than ${limits.pageMs} ms; ask for less (limit, since, until)`,
    );
  }
  const state = await reader.state?.(traceId, both);
  const head = JSON.stringify({
    traceId,
    mark: at,
    next: next ?? null,
    ...(state !== undefined && { state }),
  });
  return `${head.slice(0, -1)},"records":[${records.join(',\n')}]}\n`;
}
