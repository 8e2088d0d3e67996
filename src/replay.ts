import { stat } from 'node:fs/promises';
import type { Config } from './config/config.ts';
import { Destination } from './deliver/destination.ts';
import { type DeadLetterLine, readDeadLetters } from './deliver/read-dead-letters.ts';
import type { Log } from './ops/log.ts';
import { createMetrics } from './ops/metrics.ts';
import type { LogRecord } from './record/log-record.ts';
import type { TrackedRecord } from './record/agent-record.ts';
import { ConfigError } from './util/config-error.ts';
import type { LogWriter } from './writers/log-writer.ts';
import { builtInNames, selectWriters } from './writers/select-writer.ts';

export interface ReplayOptions {
  /** Files of dead letters, at least one; they are only read. */
  readonly files: readonly string[];
  /** Every record goes to all of `config.writers`, instead of only to the writer that refused it. */
  readonly toAll: boolean;
  readonly config: Config;
  readonly log: Log;
  /** Aborts when it is to end before it is done. */
  readonly signal: AbortSignal;
}

/** What became of the dead letters; a record that goes to several writers counts at each. */
export interface Replayed {
  readonly letters: number;
  readonly malformed: readonly Malformed[];
  readonly writers: readonly ReplayedTo[];
  /** By the name of a writer that refused records and is not to be had: it is no longer in WRITERS. */
  readonly withoutWriter: ReadonlyMap<string, number>;
  /** Files that became longer meanwhile: an agent writes to them. */
  readonly grown: readonly string[];
}

export interface Malformed {
  readonly file: string;
  /** The first is 1. */
  readonly line: number;
  readonly wrong: string;
}

export interface ReplayedTo {
  readonly writer: string;
  /** Records that were to be sent. */
  readonly letters: number;
  readonly sent: number;
  /** Refused again, by reason. */
  readonly refused: ReadonlyMap<string, number>;
}

interface LetterFile {
  readonly path: string;
  readonly bytes: number;
}

/**
 * Sends dead letters again: on the way of the agent's records, with its batches and its back-off, until all are
 * settled or the signal aborts.
 *
 * @throws ConfigError where a file cannot be read or a writer cannot be made; then nothing was sent.
 */
export async function replay({ files: paths, toAll, config, log, signal }: ReplayOptions): Promise<Replayed> {
  const files = await sizes(paths);
  const { letters, refusedBy, malformed } = await survey(files, signal);
  const configured = await selectWriters({ config, log });
  const writers = new Map(configured.map((writer) => [writer.name, writer]));
  // What is built in can be reached though WRITERS, by now or here, does not name it.
  const more = toAll ? [] : [...refusedBy.keys()].filter((name) => !writers.has(name) && isBuiltIn(name));
  const added = more.length === 0 ? [] : await selectWriters({ config: { ...config, writers: more }, log });
  for (const writer of added) writers.set(writer.name, writer);
  try {
    const targets = [...writers.values()].filter(({ name }) => toAll || refusedBy.has(name));
    // Each writer reads for itself, so that one that is down holds up nobody else.
    const replayed = await Promise.all(
      targets.map(async (writer) => {
        const count = toAll ? letters : refusedBy.get(writer.name)!;
        const records = recordsFor(toAll ? undefined : writer.name, files, signal);
        return { letters: count, ...(await replayTo(writer, records, { config, log, signal })) };
      }),
    );
    const now = await sizes(paths);
    return {
      letters,
      malformed,
      writers: replayed,
      withoutWriter: new Map([...refusedBy].filter(([name]) => !toAll && !writers.has(name))),
      grown: files.filter(({ bytes }, index) => now[index]!.bytes > bytes).map(({ path }) => path),
    };
  } finally {
    await Promise.all([...writers.values()].map(async (writer) => await writer.close?.()));
  }
}

function isBuiltIn(name: string): boolean {
  return builtInNames.includes(name);
}

async function sizes(paths: readonly string[]): Promise<LetterFile[]> {
  const found = await Promise.allSettled(
    paths.map(async (path) => {
      const file = await stat(path);
      if (!file.isFile()) throw new Error('it is no regular file');
      return { path, bytes: file.size };
    }),
  );
  const wrong = found.flatMap((one, index) =>
    one.status === 'rejected' ? [`«${paths[index]!}» cannot be read: ${(one.reason as Error).message}`] : [],
  );
  if (wrong.length > 0) throw new ConfigError(wrong);
  return found.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}

async function* linesOf(
  files: readonly LetterFile[],
  signal: AbortSignal,
): AsyncGenerator<DeadLetterLine & { file: string }, void> {
  for (const { path, bytes } of files) {
    for await (const line of readDeadLetters(path, bytes, signal)) yield { ...line, file: path };
  }
}

/** What there is, before anything is sent. */
async function survey(files: readonly LetterFile[], signal: AbortSignal) {
  const malformed: Malformed[] = [];
  const refusedBy = new Map<string, number>();
  let letters = 0;
  for await (const line of linesOf(files, signal)) {
    if ('wrong' in line) malformed.push({ file: line.file, line: line.number, wrong: line.wrong });
    else {
      letters++;
      countUp(refusedBy, line.letter.writer);
    }
  }
  return { letters, refusedBy, malformed };
}

/** The records that a writer refused; all records where none is named. */
async function* recordsFor(
  writer: string | undefined,
  files: readonly LetterFile[],
  signal: AbortSignal,
): AsyncGenerator<LogRecord, void> {
  for await (const line of linesOf(files, signal)) {
    if ('letter' in line && (writer === undefined || line.letter.writer === writer)) yield line.letter.record;
  }
}

async function replayTo(
  writer: LogWriter,
  records: AsyncIterable<LogRecord>,
  { config, log, signal }: Pick<ReplayOptions, 'config' | 'log' | 'signal'>,
): Promise<Omit<ReplayedTo, 'letters'>> {
  const refused = new Map<string, number>();
  let sent = 0;
  let room = Promise.withResolvers<void>();
  const destination = new Destination({
    writer,
    batchSize: config.batchSize,
    batchPeriodMs: config.batchPeriodMs,
    maxInFlight: config.maxInFlight,
    // It stays in its file: it is not kept a second time.
    deadLetter: async (rejections) => {
      for (const { reason } of rejections) countUp(refused, reason);
    },
    log,
    metrics: createMetrics(),
    onRoom: () => room.resolve(),
  });
  const stop = (): void => room.resolve();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const record of records) {
      destination.add(tracked(record, () => sent++));
      while (destination.full && !signal.aborted) {
        room = Promise.withResolvers<void>();
        await room.promise;
      }
      if (signal.aborted) break;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    await destination.drain(signal);
  }
  return { writer: writer.name, sent, refused };
}

/** The record with a way back that only counts. */
function tracked(record: LogRecord, onDelivered: () => void): TrackedRecord {
  return {
    ...record,
    addDestination: () => undefined,
    piece: undefined,
    detach: () => undefined,
    settle: (outcome) => void (outcome === 'delivered' && onDelivered()),
  };
}

function countUp(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
