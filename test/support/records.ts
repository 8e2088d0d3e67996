import type { LogRecord } from '../../src/record/log-record.ts';

/** A record as the data path would make it of these bytes (or this text). */
export function record(content: string | Buffer, known: Partial<LogRecord> = {}): LogRecord {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
  return {
    id: '0123456789abcdef-000000000000',
    traceId: 't1',
    unixNano: '1700000000123456789',
    source: { namespace: 'ns', pod: 'pod', container: 'main', node: 'n1' },
    ...known,
    latin1: bytes.toString('latin1'),
    byteLength: bytes.length,
    toBytes: () => Buffer.from(bytes),
    copyTo: (target, at) => at + bytes.copy(target, at),
  };
}

/** The record with a number, which its text, time and identity go by. */
export function numberedRecord(
  n: number,
  { text, ...known }: Partial<LogRecord> & { readonly text?: string | undefined } = {},
): LogRecord {
  return record(text ?? `{"n":${n}}`, {
    id: `0123456789abcdef-${n.toString(16).padStart(12, '0')}`,
    unixNano: String(1_700_000_000_000_000_000n + BigInt(n)),
    ...known,
  });
}
