import type { Config } from '../config/config.ts';
import { inert } from '../util/inert.ts';
import { summaryState } from '../trace/judge-trace.ts';
import { isWorse, severity } from '../trace/levels.ts';
import { relativeTime } from '../trace/relative-time.ts';
import type { Readable } from '../trace/select-reader.ts';
import type { TraceState } from '../trace/trace-state.ts';
import type { TraceSummary } from '../trace/trace-summary.ts';
import type { Context } from './context.ts';
import { hasColor } from './colour.ts';
import { readerOf } from './reader-of.ts';
import { styleText } from 'node:util';

export interface TracesRequest extends Pick<Context, 'env' | 'stdout' | 'stderr' | 'signal'> {
  readonly config: Config;
  readonly from?: Readable | undefined;
  readonly output?: 'pretty' | 'json' | undefined;
  /** 1 to 1,000. */
  readonly limit: number;
  /** Only traces with a line of at least this level. */
  readonly level?: string | undefined;
}

/**
 * `frostbeat traces`: the traces with the newest lines, newest first.
 *
 * @returns 0; 1 where there are none or they cannot be read; 2 where no destination can be asked.
 */
export async function tracesCommand(request: TracesRequest): Promise<number> {
  const { stdout, stderr, signal, limit, level } = request;
  const reader = await readerOf(request);
  if (reader === undefined) return 2;
  try {
    const nodes = await reader.nodes(signal);
    const { traces, note } = await reader.recent(limit, signal);
    const judging = { nowMs: Date.now(), graceMs: request.config.traceGraceMs };
    const shown = traces
      .filter((one) => level === undefined || severity(one.level) >= severity(level))
      .map((one): Listed => ({ ...one, state: summaryState(one, nodes, judging) }));
    const output = request.output ?? (stdout.isTTY === true ? 'pretty' : 'json');
    if (output === 'json') {
      for (const trace of shown) stdout.write(`${inert(JSON.stringify(trace))}\n`);
    } else if (shown.length > 0) {
      stdout.write(table(shown, hasColor(request)));
    }
    if (note !== undefined) stderr.write(`frostbeat: ${note}\n`);
    if (shown.length > 0) return 0;
    const which =
      level === undefined ? '' : ` with a line of ${level.toLowerCase()} among the newest ${traces.length}`;
    stderr.write(`frostbeat: no trace${which} in ${reader.name}\n`);
    return 1;
  } catch (error) {
    if (signal.aborted) return 0;
    const reason = error instanceof Error ? error.message : String(error);
    stderr.write(`frostbeat: Cannot list the traces of ${reader.name}: ${inert(reason)}\n`);
    return 1;
  } finally {
    await reader.close();
  }
}

/** A trace in the list; its state where all its lines were looked at. */
type Listed = TraceSummary & { readonly state: TraceState['state'] | undefined };

function table(traces: readonly Listed[], color: boolean): string {
  const style = (name: Parameters<typeof styleText>[0], text: string): string =>
    color ? styleText(name, text, { validateStream: false }) : text;
  const rows = traces.map((one) => {
    const plus = one.partial ? '+' : '';
    return {
      time: timeOf(one.firstUnixNano),
      span: `${relativeTime(one.lastUnixNano, one.firstUnixNano).replace('+', '')}${plus}`,
      lines: `${one.lines}${one.linesKnown === true ? '' : plus}`,
      pods: `${one.pods.length}${plus}`,
      level: one.level === '' ? '–' : inert(one.level),
      state: one.state === undefined || one.state === 'unknown' ? '–' : one.state,
      traceId: inert(one.traceId),
      message: inert(one.message.split('\n', 1)[0] ?? ''),
      bad: isWorse(one.level, 'WARN'),
      warn: one.level === 'WARN',
    };
  });
  const head = {
    time: 'TIME (UTC)',
    span: 'SPAN',
    lines: 'LINES',
    pods: 'PODS',
    level: 'WORST',
    state: 'STATE',
    traceId: 'TRACE',
    message: 'SAYS',
  };
  const wide = (key: keyof typeof head): number =>
    Math.max(head[key].length, ...rows.map((row) => Math.min(row[key].length, 40)));
  const line = (row: typeof head, paint = (text: string): string => text): string =>
    [
      row.time.padEnd(wide('time')),
      row.span.padStart(wide('span')),
      row.lines.padStart(wide('lines')),
      row.pods.padStart(wide('pods')),
      paint(row.level.padEnd(wide('level'))),
      row.state.padEnd(wide('state')),
      row.traceId.padEnd(wide('traceId')),
      row.message,
    ].join('  ');
  const paintOf =
    ({ bad, warn }: (typeof rows)[number]) =>
    (text: string) =>
      bad ? style('red', text) : warn ? style('yellow', text) : text;
  return [style('dim', line(head)), ...rows.map((row) => line(row, paintOf(row)))]
    .map((text) => `${text.trimEnd()}\n`)
    .join('');
}

/** To the second; the digits where no date can say it. */
function timeOf(unixNano: string): string {
  const date = new Date(Number(unixNano.padStart(10, '0').slice(0, -9)) * 1_000);
  return Number.isNaN(date.getTime()) ? unixNano : date.toISOString().slice(0, 19).replace('T', ' ');
}
