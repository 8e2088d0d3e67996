import { Consumer } from '@platformatic/kafka';
import { type KafkaServer, startKafka } from '../../support/servers/kafka.ts';
import { type FoundRecord, judgeByReading } from './read-back.ts';
import type { TortureStore } from './torture-store.ts';

const TOPIC = 'logs';
const FETCH_BYTES = 2 ** 20;

/** A topic of Kafka. */
export async function startKafkaStore(): Promise<TortureStore> {
  const server = await startKafka();
  await server.createTopic(TOPIC, { partitions: 3 });
  return {
    env: { WRITERS: 'kafka', KAFKA_BROKERS: server.broker, KAFKA_TOPIC: TOPIC },
    server,
    keepsBytes: true,
    judge: (book, differences) => judgeByReading(() => all(server), book, differences),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Every message; a producer's session may have written it once only. */
async function* all({ broker }: KafkaServer): AsyncGenerator<FoundRecord, void> {
  const consumer = new Consumer({
    clientId: 'judge',
    groupId: 'judge',
    bootstrapBrokers: [broker],
    retries: 20,
    retryDelay: 300,
  });
  try {
    const ends = (await consumer.listOffsets({ topics: [TOPIC], timestamp: -1n })).get(TOPIC) ?? [];
    const { topics } = await consumer.metadata({ topics: [TOPIC] });
    const { id: topicId, partitions } = topics.get(TOPIC)!;
    for (const [partition, end] of ends.entries()) {
      for (let fetchOffset = 0n; fetchOffset < end;) {
        const { responses } = await consumer.fetch({
          node: partitions[partition]!.leader,
          maxWaitTime: 500,
          minBytes: 1,
          maxBytes: FETCH_BYTES,
          topics: [
            {
              topicId,
              partitions: [
                {
                  partition,
                  fetchOffset,
                  partitionMaxBytes: FETCH_BYTES,
                  currentLeaderEpoch: -1,
                  lastFetchedEpoch: -1,
                },
              ],
            },
          ],
        });
        const batches = responses[0]?.partitions[0]?.records ?? [];
        for (const batch of batches) {
          for (const { offsetDelta, key, value, headers } of batch.records) {
            if (batch.firstOffset + BigInt(offsetDelta) < fetchOffset) continue;
            const named = new Map(headers.map(([name, text]) => [String(name), String(text)]));
            yield {
              traceId: String(key),
              unixNano: named.get('frostbeat-time')!,
              id: named.get('frostbeat-id')!,
              value: value!,
              session: `session ${batch.producerId}/${batch.producerEpoch}`,
            };
          }
        }
        const last = batches.at(-1);
        if (last !== undefined) fetchOffset = last.firstOffset + BigInt(last.lastOffsetDelta) + 1n;
      }
    }
  } finally {
    await consumer.close(true);
  }
}
