import { expect, it } from 'vitest';
import { InFlight } from '../../src/offsets/in-flight.ts';
import { AgentRecord, withText } from '../../src/record/agent-record.ts';
import { sliceOf } from '../../src/util/byte-slice.ts';

it('a record that is detached is the same, and keeps no more the piece of the file that it was read with', () => {
  const text = '{"traceId":"träce","n":1}';
  const piece = Buffer.from(`${'x'.repeat(60_000)}${text}\n${'y'.repeat(1_000)}`);
  const from = 60_000;
  const to = piece.indexOf('\n');
  const traceFrom = piece.indexOf('träce');
  const traceId = { traceFrom, traceTo: traceFrom + Buffer.byteLength('träce') };
  const json = { bytes: piece, from, to };
  const source = withText({ namespace: 'ns', pod: 'p', container: 'c', node: '' }, true);
  const claim = new InFlight('f', 0, () => undefined).claim(0, 10);
  const record = new AgentRecord(
    { json, traceId, time: { seconds: 0, nanos: 1 }, hasKubernetes: false },
    source,
    {
      claim,
      offset: 0,
    },
  );
  const before = { traceId: record.traceId, bytes: record.toBytes(), length: record.byteLength };
  record.detach();
  record.detach();
  piece.fill(0);
  expect({ traceId: record.traceId, bytes: record.toBytes(), length: record.byteLength }).toEqual(before);
  expect(before.traceId).toBe('träce');
  expect(String(before.bytes)).toContain('"n":1,"kubernetes":{');
});

it.each([
  [0, 0],
  [0, 7],
  [1, 500_000_000],
  [999_999_999, 999_999_999],
  [1_000_000_000, 0],
  [1_795_514_400, 1],
  [2_147_483_648, 120_000_000],
  [9_999_999_999, 999_999_999],
  [10_000_000_000, 0],
  [253_402_300_799, 5],
])('the time of %d seconds and %d nanoseconds is the same as text and as bytes', (seconds, nanos) => {
  const source = withText({ namespace: 'ns', pod: 'p', container: 'c', node: '' }, true);
  const claim = new InFlight('f', 0, () => undefined).claim(0, 10);
  const parsed = { json: sliceOf('{}'), traceId: 't', time: { seconds, nanos }, hasKubernetes: false };
  const record = new AgentRecord(parsed, source, { claim, offset: 0 });
  const bytes = Buffer.alloc(30, '.');
  const end = record.copyUnixNanoTo(bytes, 3);
  expect(bytes.toString('latin1')).toBe(`...${record.unixNano}`.padEnd(30, '.'));
  expect(end).toBe(3 + record.unixNano.length);
  expect(BigInt(record.unixNano)).toBe(BigInt(seconds) * 1_000_000_000n + BigInt(nanos));
});
