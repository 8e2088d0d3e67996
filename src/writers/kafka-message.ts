import type { MessageToProduce } from '@platformatic/kafka';
import type { LogRecord, RecordSource } from '../record/log-record.ts';
import { ByteBuffer } from './byte-buffer.ts';
import { murmur2 } from './kafka-hash.ts';

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

/** Bytes of a key with a trace ID of a usual length, and of an identity and a time. */
const PART_BYTES = 96;

/** The partition of a trace: that of Kafka's own clients for its key, so that others can read it by key too. */
export function partitionOf(traceId: string, partitions: number): number {
  return partitionOfKey(Buffer.from(traceId, 'utf8'), partitions);
}

function partitionOfKey(key: Buffer, partitions: number): number {
  return (murmur2(key) & 0x7fff_ffff) % partitions;
}

/** The records' bytes under their traces' keys. Kafka's own time of it is when it is sent: retention goes by that. */
export function messagesOf(
  records: readonly LogRecord[],
  { topic, partitions, kubernetes }: MessageOptions,
): MessageToProduce[] {
  // One piece of memory for all: of each part there would be one more thing for the collector.
  const parts = new ByteBuffer(records.reduce((sum, { byteLength }) => sum + byteLength + PART_BYTES, 0));
  const ends: number[] = [];
  for (const record of records) {
    if (!parts.addPlainTraceId(record)) parts.addUtf8(record.traceId);
    ends.push(parts.length);
    parts.addId(record);
    ends.push(parts.length);
    parts.addUnixNano(record);
    ends.push(parts.length);
    parts.addRecord(record);
    ends.push(parts.length);
  }
  const bytes = parts.bytes();
  let from = 0;
  const next = (end: number): Buffer => {
    const part = bytes.subarray(from, end);
    from = end;
    return part;
  };
  return records.map(({ source }, i) => {
    const key = next(ends[4 * i]!);
    const headers = new Map<Buffer, Buffer>([
      [names.id, next(ends[4 * i + 1]!)],
      [names.time, next(ends[4 * i + 2]!)],
    ]);
    const value = next(ends[4 * i + 3]!);
    if (kubernetes) for (const [name, text] of originOf(source)) headers.set(name, text);
    return { topic, partition: partitionOfKey(key, partitions), key, value, headers };
  });
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
