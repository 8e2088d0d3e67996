import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type AgentRecord, withText } from '../../src/record/agent-record.ts';
import { ByteBuffer } from '../../src/writers/byte-buffer.ts';
import { addNdjsonLine } from '../../src/writers/ndjson.ts';
import { addNdjsonParts } from '../../src/writers/ndjson-parts.ts';
import { agentRecord, inTexts } from '../support/agent-records.ts';

const cart = withText({ namespace: 'shop', pod: 'cart-1', container: 'main', node: 'n1' }, true);
const till = withText({ namespace: 'shop', pod: 'till-1', container: 'main', node: 'n1' }, true);
const bare = withText({ namespace: 'shop', pod: 'till-1', container: 'main', node: 'n1' }, false);
const [fileA, fileB] = ['00ff3c4d5e6f7a8b', 'b8a7f6e5d4c3ff00'];

/** All lines in one buffer that has to grow, as of the records' parts and as of their texts. */
function linesOf(records: readonly AgentRecord[]): { parts: string; texts: string } {
  const [parts, texts] = [new ByteBuffer(1), new ByteBuffer()];
  for (const record of records) {
    addNdjsonLine(parts, record);
    addNdjsonLine(texts, inTexts(record));
  }
  return { parts: parts.bytes().toString('latin1'), texts: texts.bytes().toString('latin1') };
}

const at = (time: string): AgentRecord => agentRecord('t', 500, time);
const from = (offset: number, fileId = fileA, source = cart): AgentRecord =>
  agentRecord('t', offset, undefined, { fileId, source });
/** What the records before it leave behind is gone. */
const reset = (): AgentRecord[] => [from(7, '0000000000000000'), at('2001-01-01T00:00:00Z')];

it.each([
  ['of one second', ['2026-11-24T05:30:57.5Z', '2026-11-24T05:30:57.000000001Z', '2026-11-24T05:30:57Z']],
  [
    'of a second that changes, and changes back',
    ['2026-11-24T05:30:57.5Z', '2026-11-24T05:30:58Z', '2026-11-24T05:30:57Z'],
  ],
  [
    'of times of fewer and of more digits',
    ['2286-11-20T17:46:39.9Z', '2286-11-20T17:46:40Z', '2286-11-20T17:46:39.8Z', '2001-09-09T01:46:39Z'],
  ],
  ['from the begin of time on', ['2026-11-24T05:30:57Z', '1970-01-01T00:00:00Z', '2026-11-24T05:30:57Z']],
])('writes records %s as if each were alone', (_, times) => {
  const { parts, texts } = linesOf([...reset(), ...times.map(at)]);
  expect(parts).toBe(texts);
});

it.each([
  ['of one file', [from(0), from(500), from(1_000), from(0xff_ffff)]],
  ['of another file', [from(0), from(500), from(1_000, fileB), from(1_500, fileB), from(1_500), from(2_000)]],
  ['of another container', [from(0), from(500), from(500, fileA, till), from(600, fileA, till), from(700)]],
  ['with nothing added', [from(0), from(500), from(500, fileA, bare), from(600, fileA, bare), from(700)]],
  [
    'behind 16 MiB, and before them again',
    [0xff_fff0, 0xff_ffff, 2 ** 24, 2 ** 24 + 9, 5, 6, 2 ** 33, 2 ** 33 + 1].map((offset) => from(offset)),
  ],
])('writes records %s as if each were alone', (_, records) => {
  const { parts, texts } = linesOf([...reset(), ...records]);
  expect(parts).toBe(texts);
});

it('writes the same as of texts, whatever record came before', () => {
  const record = fc.record({
    traceId: fc.constantFrom('t', '4bf92f3577b34da6a3ce929d0e0e4736', 'é', 'x'.repeat(5_000)),
    offset: fc.constantFrom(0, 1, 0xff_ffff, 2 ** 24, 2 ** 24 + 1, 2 ** 40),
    time: fc.constantFrom('2026-11-24T05:30:57.5Z', '2026-11-24T05:30:58Z', '2001-01-01T00:00:00Z'),
    fileId: fc.constantFrom(fileA, fileB),
    source: fc.constantFrom(cart, till, bare),
  });
  fc.assert(
    fc.property(fc.array(record, { maxLength: 30 }), (all) => {
      const { parts, texts } = linesOf(
        all.map(({ traceId, offset, time, ...origin }) => agentRecord(traceId, offset, time, origin)),
      );
      expect(parts).toBe(texts);
    }),
  );
});

it.each([
  ['a trace ID that is not plain', agentRecord('é')],
  ['a time of 18 digits', at('2001-09-09T01:46:39Z')],
  ['a time of 20 digits', at('2286-11-20T17:46:40Z')],
])('adds nothing of %s', (_, record) => {
  const lines = new ByteBuffer();
  lines.add('before');
  expect(addNdjsonParts(lines, record)).toBe(false);
  expect(lines.bytes().toString()).toBe('before');
});
