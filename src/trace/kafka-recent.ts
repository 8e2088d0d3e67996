import { isCanary } from './canary-trace.ts';
import type { KafkaPartitions } from './kafka-partitions.ts';
import { compareUnixNano } from './stored-record.ts';
import { Summary } from './summary.ts';
import type { RecentTraces } from './trace-reader.ts';

/** So many of the last messages of each partition are looked at. */
const MOST_MESSAGES = 5_000n;

/** The newest traces among the last messages of each partition. */
export async function recentInKafka(
  partitions: KafkaPartitions,
  limit: number,
  signal: AbortSignal,
): Promise<RecentTraces> {
  const { first, next } = await partitions.ends(signal);
  const traces = new Map<string, Summary>();
  const ids = new Set<string>();
  let partial = false;
  for (const [partition, to] of next.entries()) {
    const oldest = first[partition] ?? 0n;
    const from = to - oldest > MOST_MESSAGES ? to - MOST_MESSAGES : oldest;
    partial ||= from > oldest;
    for await (const records of partitions.messages(partition, { from, to }, signal)) {
      for (const { traceId: key, id, unixNano, value } of records) {
        if (ids.has(id)) continue;
        ids.add(id);
        const traceId = key.toString('utf8');
        if (isCanary(traceId)) continue;
        let summary = traces.get(traceId);
        if (summary === undefined) traces.set(traceId, (summary = new Summary(traceId)));
        summary.add({ unixNano, bytes: value });
      }
    }
  }
  const newest = [...traces.values()].sort((a, b) => compareUnixNano(b.last, a.last)).slice(0, limit);
  return {
    traces: newest.map((summary) => summary.result({ partial })),
    ...(partial && { note: `only the last ${MOST_MESSAGES} messages of each partition were looked at` }),
  };
}
