// The bare loop for Kafka: requests of so many messages, of the agent's key, value and headers, compressed as it does.
import { Producer } from '@platformatic/kafka';
import { idOf, options, values, writeAll } from './loop.mjs';

const { broker, topic } = options;
const producer = new Producer({
  clientId: 'bare',
  bootstrapBrokers: [broker],
  idempotent: true,
  compression: 'zstd',
});
const bytes = values.map((value) => Buffer.from(value, 'latin1'));
const keys = values.map((value) => Buffer.from(JSON.parse(value).traceId));
const origin = ['namespace', 'pod', 'container', 'node'].map((name) => [
  Buffer.from(`frostbeat-${name}`),
  Buffer.from('checkout-0000'),
]);
const [id, time] = [Buffer.from('frostbeat-id'), Buffer.from('frostbeat-time')];
const nano = Buffer.from('1700000000123456789');

await writeAll(async (first, end) => {
  const messages = [];
  for (let i = first; i < end; i++) {
    const headers = new Map([[id, Buffer.from(idOf(i))], [time, nano], ...origin]);
    messages.push({ topic, key: keys[i % keys.length], value: bytes[i % bytes.length], headers });
  }
  await producer.send({ messages });
});
await producer.close(true);
