import type { Config } from '../config/config.ts';
import { defaultReadable, type Readable, readable, selectTraceReader } from '../trace/select-reader.ts';
import type { TraceReader } from '../trace/trace-reader.ts';
import { inert } from '../util/inert.ts';
import type { Output } from './context.ts';

export interface Source {
  readonly from?: Readable | undefined;
  readonly config: Config;
  readonly stderr: Output;
  /** It will be asked often. */
  readonly livesOn?: boolean;
}

/** The reader that was asked for, or the first of WRITERS; says so where there is none. */
export async function readerOf(source: Source): Promise<TraceReader | undefined> {
  const from = destinationOf(source);
  return from && selectTraceReader(from, source.config, { livesOn: source.livesOn === true });
}

/** What is to be read; says so where there is none. */
export function destinationOf({ from, config, stderr }: Source): Readable | undefined {
  const found = from ?? defaultReadable(config);
  if (found === undefined) {
    stderr.write(
      `frostbeat: WRITERS is «${inert(config.writers.join(','))}»: traces can be read from ${readable.join(', ')}; say which with --from\n`,
    );
  }
  return found;
}
