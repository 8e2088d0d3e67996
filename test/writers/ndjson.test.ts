import { expect, it } from 'vitest';
import { InFlight } from '../../src/offsets/in-flight.ts';
import { AgentRecord, withText } from '../../src/record/agent-record.ts';
import type { LogRecord } from '../../src/record/log-record.ts';
import { parseRecord } from '../../src/record/parse-record.ts';
import { UnixNanoReader } from '../../src/record/unix-nano.ts';
import { sliceOf } from '../../src/util/byte-slice.ts';
import { ByteBuffer } from '../../src/writers/byte-buffer.ts';
import { addNdjsonLine } from '../../src/writers/ndjson.ts';

const source = withText({ namespace: 'shop', pod: 'cart-1', container: 'main', node: 'n1' }, true);

/** A record as the agent makes it. @param traceId as it stands in the JSON text. */
function agentRecord(traceId: string | Buffer, offset = 0): AgentRecord {
  const window = new InFlight('00ff3c4d5e6f7a8b', offset, () => undefined);
  const parts = ['{"time":"2026-11-24T05:30:57.5Z","traceId":"', traceId, '"}'].map((part) =>
    Buffer.from(part),
  );
  const json = Buffer.concat(parts).toString('latin1');
  const parsed = parseRecord(sliceOf(json), new UnixNanoReader());
  if (typeof parsed === 'string') throw new Error(`Cannot make a record: it is ${parsed}`);
  return new AgentRecord(parsed, source, { claim: window.claim(offset, offset + 100), offset });
}

/** The same record as one that has texts and nothing else. */
function inTexts(record: AgentRecord): LogRecord {
  const { id, traceId, unixNano, latin1, byteLength } = record;
  return {
    id,
    traceId,
    unixNano,
    source,
    latin1,
    byteLength,
    toBytes: () => record.toBytes(),
    copyTo: (target, at) => record.copyTo(target, at),
  };
}

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
