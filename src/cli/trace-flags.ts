import { grep } from '../trace/grep.ts';
import { levels } from '../trace/levels.ts';
import type { Readable } from '../trace/select-reader.ts';
import type { TraceFilter } from '../trace/trace-filter.ts';
import { parseTime } from './time-flag.ts';

export const outputs = ['pretty', 'json', 'raw', 'csv'] as const;

/** The flags of `frostbeat trace` besides the settings, as they were given. */
export interface TraceFlags {
  readonly output?: (typeof outputs)[number];
  readonly from?: Readable;
  readonly follow?: boolean;
  readonly untilComplete?: boolean;
  readonly state?: boolean;
  readonly since?: string;
  readonly until?: string;
  readonly level?: string;
  readonly grep?: string;
  readonly pod?: string;
}

/** The flags, understood. */
export interface TraceOptions {
  readonly output?: (typeof outputs)[number] | undefined;
  readonly from?: Readable | undefined;
  readonly follow?: boolean | undefined;
  /** With `follow`: end when nothing more is to come, and tell the state by the exit code. */
  readonly untilComplete?: boolean | undefined;
  /** Tell the state alone. */
  readonly stateOnly?: boolean | undefined;
  /** Unix nanoseconds. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly filter?: TraceFilter | undefined;
}

/** @returns the options, and a sentence for each mistake. */
export async function traceOptions(
  flags: TraceFlags,
  nowMs: number,
): Promise<{ options: TraceOptions; mistakes: string[] }> {
  const mistakes: string[] = [];
  const time = (flag: 'since' | 'until'): string | undefined => {
    const text = flags[flag];
    if (text === undefined) return undefined;
    const parsed = parseTime(text, nowMs);
    if (parsed === undefined) {
      mistakes.push(
        `--${flag} is "${text}": it must be a duration back from now (15m, 1h30m) or a time (2026-11-24T10:00:00Z)`,
      );
    }
    return parsed;
  };
  const level = flags.level?.toUpperCase();
  if (level !== undefined && !levels.some((one) => one === level)) {
    mistakes.push(`--level is "${flags.level}": it must be one of ${levels.join(', ').toLowerCase()}`);
  }
  const matches =
    flags.grep === undefined
      ? undefined
      : await grep(flags.grep).catch((error: unknown) => {
          mistakes.push(
            `--grep is "${flags.grep}": it must be a regular expression (RE2's: no look-around, no back-references), and it has ${(error as Error).message}`,
          );
          return undefined;
        });
  const { output, from, pod, untilComplete, state: stateOnly } = flags;
  const follow = flags.follow === true || untilComplete === true;
  const [since, until] = [time('since'), time('until')];
  if (follow && until !== undefined)
    mistakes.push('--until has no place with --follow: it would end before it begins');
  if (stateOnly === true && follow) mistakes.push('--state has no place with --follow: it looks once');
  return {
    options: {
      output,
      from,
      follow,
      untilComplete,
      stateOnly,
      since,
      until,
      filter: { level, pod, matches },
    },
    mistakes,
  };
}
