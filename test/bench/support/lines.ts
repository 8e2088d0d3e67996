import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Length of a line in the log file, with its LF, in bytes. */
export const LINE_BYTES = 500;

/** Lines that are generated once and then repeated: only their place in the file tells the copies apart. */
const BLOCK_LINES = 8_192;
const START = Date.UTC(2026, 10, 23, 5, 30);

const paths = ['/api/cart', '/api/checkout', '/api/orders/4711', '/api/products?page=2', '/healthz'];
const messages = [
  'request handled',
  'cache miss, asking the database',
  'payment authorised',
  'stock reserved',
];

/**
 * One line as containerd writes it, of 500 bytes: a record of a service's JSON log.
 *
 * @param index makes time and trace ID; lines of different indices (below 10^12) differ.
 */
export function criLine(index: number): string {
  const time = `${new Date(START + Math.floor(index / 1_000)).toISOString().slice(0, 23)}${String(index % 1_000).padStart(3, '0')}789Z`;
  const record = {
    time,
    level: index % 50 === 0 ? 'error' : 'info',
    traceId: (index * 2_654_435_761).toString(16).padStart(32, '4bf92f3577b34da6a3ce929d0e0e4736'),
    spanId: (index % 65_536).toString(16).padStart(16, '00f067aa0ba902b7'),
    service: 'checkout',
    msg: messages[index % messages.length],
    http: {
      method: index % 3 === 0 ? 'POST' : 'GET',
      path: paths[index % paths.length],
      status: 200,
      durationMs: (index % 977) / 10,
      bytes: index % 10_007,
    },
    user: { id: index % 100_000, plan: 'free', roles: ['buyer', 'reviewer'] },
    retries: 0,
    cached: index % 2 === 0,
    padding: '',
  };
  const head = `${time} stdout F `;
  record.padding = 'x'.repeat(LINE_BYTES - 1 - head.length - JSON.stringify(record).length);
  return `${head}${JSON.stringify(record)}\n`;
}

/** The record in a line, as the container wrote it. */
export function recordOf(line: string): string {
  return line.slice(line.indexOf(' F ') + 3, -1);
}

/** Of the first simulated container, in the benchmarks without the API; as long as those of the others. */
const kubernetes = ',"kubernetes":{"namespace":"bench","pod":"checkout-0000","container":"app","node":""}}';

/** A record of `fillLogs` as the agent writes it, with its metadata; those of different indices differ. */
export function recordWithMetadata(index: number): string {
  return `${recordOf(criLine(index)).slice(0, -1)}${kubernetes}`;
}

/** For the bare loops: the records of `fillLogs` that differ, in their order, one a line, with their metadata. */
export function writeRecords(path: string): void {
  writeFileSync(path, Array.from({ length: BLOCK_LINES }, (_, n) => `${recordWithMetadata(n)}\n`).join(''));
}

/** A container of the simulated node. */
export interface Container {
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  readonly container: string;
  /** `<namespace>_<pod>_<uid>`, under POD_LOG_DIR. */
  readonly directory: string;
  /** The live log file. */
  readonly path: string;
}

/** Names and directories of so many containers, one a pod. */
export function makeContainers(podLogDir: string, count: number): Container[] {
  return Array.from({ length: count }, (_, index) => {
    const pod = `checkout-${String(index).padStart(4, '0')}`;
    const uid = `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
    const directory = `bench_${pod}_${uid}`;
    const path = join(podLogDir, directory, 'app', '0.log');
    mkdirSync(dirname(path), { recursive: true });
    return { namespace: 'bench', pod, uid, container: 'app', directory, path };
  });
}

let block: Buffer | undefined;

/** Writes so many lines to each container's file. */
export function fillLogs(containers: readonly Container[], linesEach: number): void {
  block ??= Buffer.from(Array.from({ length: BLOCK_LINES }, (_, index) => criLine(index)).join(''));
  for (const { path } of containers) {
    const fd = openSync(path, 'w');
    for (let left = linesEach; left > 0; left -= BLOCK_LINES) {
      writeSync(fd, block, 0, Math.min(left, BLOCK_LINES) * LINE_BYTES);
    }
    closeSync(fd);
  }
}

/** Bytes that the file writer makes of `fillLogs`: what it has to have written when it is done. */
export function fileWriterBytes(
  linesEach: number,
  containers: readonly Container[],
  metadata: boolean,
): number {
  return containers.reduce((sum, { namespace, pod, container }) => {
    const member = `,"kubernetes":${JSON.stringify({ namespace, pod, container, node: '' })}`;
    const frame = `{"timestamp":${'0'.repeat(19)},"traceId":"${'0'.repeat(32)}","log":,"id":"${'0'.repeat(29)}"}\n`;
    const record = recordOf(criLine(0)).length + (metadata ? member.length : 0);
    return sum + linesEach * (frame.length + record);
  }, 0);
}
