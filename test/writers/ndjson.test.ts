import { expect, it } from 'vitest';
import type { LogRecord } from '../../src/record/log-record.ts';
import { ByteBuffer } from '../../src/writers/byte-buffer.ts';
import { addNdjsonLine } from '../../src/writers/ndjson.ts';
import { agentRecord, inTexts } from '../support/agent-records.ts';

function lineOf(record: LogRecord): Buffer {
  const lines = new ByteBuffer();
  addNdjsonLine(lines, record);
  return lines.bytes();
}

it.each([
  'a',
  '4bf92f3577b34da6a3ce929d0e0e4736',
  ' !#[]~',
  'é 漢 \u{1f600}',
  'with\\u00e9scape \\" \\\\ \\n',
  'del \u007f',
  'x'.repeat(100_000),
])('writes a trace ID from its bytes as from its text: %.30s', (traceId) => {
  const record = agentRecord(traceId);
  const line = lineOf(record);
  expect(line).toEqual(lineOf(inTexts(record)));
  expect((JSON.parse(line.toString()) as { traceId: string }).traceId).toBe(record.traceId);
});

it('writes a trace ID that is no UTF-8 as JSON text that is', () => {
  const record = agentRecord(Buffer.from([0x61, 0xff, 0x62]));
  expect(lineOf(record)).toEqual(lineOf(inTexts(record)));
  expect(lineOf(record).toString()).toContain('"traceId":"a\ufffdb"');
});

it.each([0, 1, 0xabcdef, 2 ** 24, 2 ** 31, 2 ** 32 + 5, 2 ** 40 + 2 ** 23 + 1, 2 ** 48 - 1])(
  'writes an identity from its parts as from its text: offset %i',
  (offset) => {
    const record = agentRecord('t', offset);
    const line = lineOf(record);
    expect(line).toEqual(lineOf(inTexts(record)));
    expect((JSON.parse(line.toString()) as { id: string }).id).toBe(record.id);
  },
);
