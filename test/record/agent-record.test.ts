import { expect, it } from 'vitest';
import { InFlight } from '../../src/offsets/in-flight.ts';
import { AgentRecord, withText } from '../../src/record/agent-record.ts';

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
  const record = new AgentRecord({ json, traceId, unixNano: '1', hasKubernetes: false }, source, {
    claim,
    offset: 0,
  });
  const before = { traceId: record.traceId, bytes: record.toBytes(), length: record.byteLength };
  record.detach();
  record.detach();
  piece.fill(0);
  expect({ traceId: record.traceId, bytes: record.toBytes(), length: record.byteLength }).toEqual(before);
  expect(before.traceId).toBe('träce');
  expect(String(before.bytes)).toContain('"n":1,"kubernetes":{');
});
