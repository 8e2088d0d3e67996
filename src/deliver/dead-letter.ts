import { isUtf8 } from 'node:buffer';
import type { LogRecord, RecordSource } from '../record/log-record.ts';
import type { Rejection } from '../writers/log-writer.ts';

/** A record that a destination refused for good. */
export interface DeadLetter {
  readonly record: LogRecord;
  /** Name of the writer that refused it. */
  readonly writer: string;
  readonly reason: string;
  /** When it was refused, RFC 3339 in UTC. */
  readonly refusedAt: string;
}

/** The line's form. `record` is the text where it is UTF-8, else `recordBase64` has the bytes. */
interface Line {
  readonly v: 1;
  readonly refusedAt: string;
  readonly writer: string;
  readonly reason: string;
  readonly id: string;
  readonly traceId: string;
  /** Nanoseconds since 1970 as text: a JSON number would lose the last digits in most readers. */
  readonly unixNano: string;
  readonly source: RecordSource;
  readonly record?: string;
  readonly recordBase64?: string;
}

/** One line of NDJSON, with its line feed; everything that writing the record again takes is in it. */
export function toDeadLetterLine({ record, reason }: Rejection, writer: string, now: Date): string {
  const { id, traceId, unixNano, source } = record;
  const { namespace, pod, container, node } = source;
  const bytes = record.toBytes();
  const line: Line = {
    v: 1,
    refusedAt: now.toISOString(),
    writer,
    reason,
    id,
    traceId,
    unixNano,
    source: { namespace, pod, container, node },
    ...(isUtf8(bytes) ? { record: bytes.toString('utf8') } : { recordBase64: bytes.toString('base64') }),
  };
  return `${JSON.stringify(line)}\n`;
}

/** The dead letter of a line, its record byte for byte as it was. @throws where the line is none. */
export function parseDeadLetter(text: string): DeadLetter {
  const line = JSON.parse(text) as Partial<Line> | null;
  const { v, refusedAt, writer, reason, id, traceId, unixNano, source } = line ?? {};
  const bytes =
    line?.recordBase64 === undefined
      ? Buffer.from(line?.record ?? '', 'utf8')
      : Buffer.from(line.recordBase64, 'base64');
  const texts = { refusedAt, writer, reason, id, traceId, unixNano };
  const wrong = Object.entries(texts).find(([, value]) => typeof value !== 'string')?.[0];
  if (v !== 1 || wrong !== undefined || source === undefined || bytes.length === 0) {
    throw new Error(
      `Cannot read a dead letter: its member ${v === 1 ? (wrong ?? 'source or record') : 'v'} is not as expected`,
    );
  }
  const known = texts as { readonly [Name in keyof typeof texts]: string };
  return {
    refusedAt: known.refusedAt,
    writer: known.writer,
    reason: known.reason,
    record: {
      id: known.id,
      traceId: known.traceId,
      unixNano: known.unixNano,
      source,
      latin1: bytes.toString('latin1'),
      byteLength: bytes.length,
      toBytes: () => Buffer.from(bytes),
      copyTo: (target, at) => at + bytes.copy(target, at),
    },
  };
}
