import type { Config } from '../config/config.ts';
import { createLog } from '../ops/log.ts';
import { type Malformed, replay, type Replayed } from '../replay.ts';
import { inert } from '../util/inert.ts';
import type { Context } from './context.ts';

export interface ReplayRequest extends Pick<Context, 'stdout' | 'stderr' | 'signal'> {
  readonly files: readonly string[];
  /** WRITERS was given as a flag: every record goes to all of them. */
  readonly toAll: boolean;
  readonly config: Config;
}

/**
 * `frostbeat replay <file>…`: sends dead letters again, and says what became of them.
 *
 * @returns 0 where every record of the files is stored now, else 1.
 * @throws ConfigError where a file cannot be read or a writer cannot be made.
 */
export async function replayCommand(request: ReplayRequest): Promise<number> {
  const { stdout, stderr, signal, config } = request;
  const log = await createLog({ level: config.logLevel, pretty: stderr.isTTY === true });
  let replayed: Replayed;
  try {
    replayed = await replay({ ...request, log });
  } catch (error) {
    if (!signal.aborted) throw error;
    stdout.write('Stopped before anything was sent.\n');
    return 1;
  }
  const { text, done } = summary(replayed, request.files, signal.aborted);
  stdout.write(text);
  return done ? 0 : 1;
}

function summary(replayed: Replayed, files: readonly string[], stopped: boolean) {
  const { letters, malformed, writers, withoutWriter, grown } = replayed;
  const of = files.length === 1 ? inert(files[0]!) : `${files.length} files`;
  const lines = [`${number(letters, 'dead letter')} in ${of}`];
  let done = malformed.length === 0;
  for (const { writer, letters: all, sent, refused } of writers) {
    lines.push(`  ${writer}: sent ${sent}`);
    for (const [reason, times] of refused)
      lines.push(`  ${writer}: refused again ${times}: ${inert(reason)}`);
    const left = all - sent - sum(refused.values());
    if (left > 0) lines.push(`  ${writer}: not sent ${left}`);
    if (sent < all) done = false;
  }
  for (const [writer, times] of withoutWriter) {
    lines.push(
      `  not sent ${times}: they were refused by «${inert(writer)}», which WRITERS does not name; --writers sends them elsewhere`,
    );
    done = false;
  }
  for (const [file, found] of Map.groupBy(malformed, (one) => one.file)) {
    lines.push(
      `  malformed ${found.length}: ${inert(file)}, ${lineNumbers(found)}: ${inert(found[0]!.wrong)}`,
    );
  }
  lines.push(advice({ done, stopped, grown, files: files.length }));
  return { text: `${lines.join('\n')}\n`, done };
}

function advice(state: { done: boolean; stopped: boolean; grown: readonly string[]; files: number }): string {
  const [file, is] = state.files === 1 ? ['The file', 'is'] : ['The files', 'are'];
  const kept = `${file} ${is} as before`;
  if (state.stopped && !state.done) return `Stopped. ${kept}: replay again, even what was sent.`;
  if (!state.done) return `${kept}: keep what was not sent, mend the cause and replay again.`;
  return state.grown.length > 0
    ? `All of it is stored, but an agent has added to ${state.grown.map(inert).join(', ')} meanwhile: replay again before you delete ${state.files === 1 ? 'it' : 'them'}.`
    : `All of it is stored. ${kept}, and may be deleted.`;
}

/** `lines 3, 7–9`. */
function lineNumbers(found: readonly Malformed[]): string {
  const ranges: [from: number, to: number][] = [];
  for (const { line } of found) {
    const last = ranges.at(-1);
    if (last?.[1] === line - 1) last[1] = line;
    else ranges.push([line, line]);
  }
  const text = ranges.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(', ');
  return `${found.length === 1 ? 'line' : 'lines'} ${text}`;
}

function number(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const one of numbers) total += one;
  return total;
}
