import { setTimeout as sleep } from 'node:timers/promises';
import type { LogRecord } from '../record/log-record.ts';
import { type LogWriter, PartialWriteError, RejectedError, type Rejection } from '../writers/log-writer.ts';

const PAUSE_MS = 100;

/**
 * Writes records as the agent would: until each is stored or refused.
 *
 * @returns what was refused.
 * @throws the writer's last error when the signal aborts before that, or what is wrong with the errors it throws.
 */
export async function deliverAll(
  writer: LogWriter,
  records: readonly LogRecord[],
  signal: AbortSignal,
): Promise<readonly Rejection[]> {
  const refused: Rejection[] = [];
  for (let left = records; left.length > 0;) {
    try {
      await writer.writeBatch(left, signal);
      return refused;
    } catch (error) {
      if (signal.aborted)
        throw new Error(`Cannot write the records in time: ${String(error)}`, { cause: error });
      const rejections = rejectionsOf(error);
      const done = new Set([...rejections.map(({ record }) => record), ...storedOf(error)]);
      const unknown = [...done].filter((record) => !left.includes(record));
      if (unknown.length > 0) {
        throw new Error(
          `${(error as Error).name} names ${unknown.length} records that are not of the batch`,
          {
            cause: error,
          },
        );
      }
      refused.push(...rejections);
      left = left.filter((record) => !done.has(record));
      if (left.length > 0) await sleep(PAUSE_MS);
    }
  }
  return refused;
}

function rejectionsOf(error: unknown): readonly Rejection[] {
  return error instanceof RejectedError || error instanceof PartialWriteError ? error.rejections : [];
}

function storedOf(error: unknown): readonly LogRecord[] {
  return error instanceof PartialWriteError ? error.stored : [];
}
