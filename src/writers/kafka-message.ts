import { type MessageToProduce, murmur2 } from '@platformatic/kafka';
import type { LogRecord, RecordSource } from '../record/log-record.ts';

/** Headers of a message; a reader must not rely on their order. */
export const ID_HEADER = 'frostbeat-id';
export const TIME_HEADER = 'frostbeat-time';

const names = {
  id: Buffer.from(ID_HEADER),
  time: Buffer.from(TIME_HEADER),
  namespace: Buffer.from('frostbeat-namespace'),
  pod: Buffer.from('frostbeat-pod'),
  container: Buffer.from('frostbeat-container'),
  node: Buffer.from('frostbeat-node'),
};

export interface MessageOptions {
  readonly topic: string;
  readonly partitions: number;
  /** Say in headers where the record came from. */
  readonly kubernetes: boolean;
}

/** The partition of a trace: that of Kafka's own clients for its key, so that others can read it by key too. */
export function partitionOf(traceId: string, partitions: number): number {
  return (murmur2(traceId, true) & 0x7fff_ffff) % partitions;
}

/** The record's bytes under its trace's key. Kafka's own time of it is when it is sent: retention goes by that. */
export function messageOf(
  record: LogRecord,
  { topic, partitions, kubernetes }: MessageOptions,
): MessageToProduce {
  const { traceId, source } = record;
  const headers = new Map<Buffer, Buffer>([
    [names.id, Buffer.from(record.id, 'latin1')],
    [names.time, Buffer.from(record.unixNano, 'latin1')],
  ]);
  if (kubernetes) for (const [name, text] of originOf(source)) headers.set(name, text);
  return {
    topic,
    partition: partitionOf(traceId, partitions),
    key: Buffer.from(traceId, 'utf8'),
    value: record.toBytes(),
    headers,
  };
}

type Origin = readonly (readonly [name: Buffer, text: Buffer])[];

/** A container's records share one source: its headers are made once. */
const origins = new WeakMap<RecordSource, Origin>();

function originOf(source: RecordSource): Origin {
  const known = origins.get(source);
  if (known !== undefined) return known;
  const { namespace, pod, container, node } = source;
  const all = [
    [names.namespace, Buffer.from(namespace)],
    [names.pod, Buffer.from(pod)],
    [names.container, Buffer.from(container)],
    [names.node, Buffer.from(node)],
  ] as const;
  // A node may have no name.
  const origin = all.filter(([, text]) => text.length > 0);
  origins.set(source, origin);
  return origin;
}
