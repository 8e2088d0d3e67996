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
