import { expect, it } from 'vitest';
import { messagesOf, partitionOf } from '../../src/writers/kafka-message.ts';
import { agentRecord, inTexts } from '../support/agent-records.ts';

const options = { topic: 't', partitions: 7, kubernetes: true };

it('makes the same messages of records in bytes as of records in texts, whatever their trace IDs are', () => {
  const ids = ['4bf92f3577b34da6a3ce929d0e0e4736', 'é 漢', 'with\\u0000escape', 'x'.repeat(10_000), 'a'];
  const records = ids.map((traceId, n) => agentRecord(traceId, n * 100));
  const messages = messagesOf(records, options);
  expect(messages).toEqual(messagesOf(records.map(inTexts), options));
  for (const [n, { key, value, headers, partition }] of messages.entries()) {
    const one = records[n]!;
    expect(String(key)).toBe(one.traceId);
    expect(value).toEqual(one.toBytes());
    expect(partition).toBe(partitionOf(one.traceId, 7));
    const texts = [...(headers as Map<Buffer, Buffer>)].map((header) => header.map(String));
    expect(Object.fromEntries(texts)).toEqual({
      'frostbeat-id': one.id,
      'frostbeat-time': one.unixNano,
      'frostbeat-namespace': 'shop',
      'frostbeat-pod': 'cart-1',
      'frostbeat-container': 'main',
      'frostbeat-node': 'n1',
    });
  }
});
