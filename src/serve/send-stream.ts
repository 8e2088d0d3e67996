import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { liveTrace } from '../trace/live-trace.ts';
import type { TraceReader, ReadOptions } from '../trace/trace-reader.ts';
import type { Limits } from './limits.ts';
import { recordJson } from './record-json.ts';

/** Pieces are sent when they are so large. */
const PIECE_BYTES = 65_536;

/** Sends a whole trace as NDJSON, as fast as the client takes it. A stream that is cut short was not whole. */
export async function sendNdjson(
  reader: TraceReader,
  { traceId, options }: { traceId: string; options: ReadOptions },
  response: ServerResponse,
  { limits, signal }: { limits: Limits; signal: AbortSignal },
): Promise<void> {
  let piece: string[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    await send(response, piece.join(''), { limits, signal });
    piece = [];
    bytes = 0;
  };
  for await (const record of reader.read(traceId, signal, options)) {
    const line = `${recordJson(record)}\n`;
    piece.push(line);
    bytes += line.length;
    if (bytes >= PIECE_BYTES) await flush();
  }
  await flush();
  response.end();
}

/**
 * Sends what is stored of a trace from a mark on, as server-sent events, until the client goes: `lines`, whose id is
 * the mark to go on from, and `state` where it changes.
 */
export async function sendEvents(
  reader: TraceReader,
  { traceId, mark, graceMs }: { traceId: string; mark: string; graceMs: number },
  response: ServerResponse,
  { limits, signal }: { limits: Limits; signal: AbortSignal },
): Promise<void> {
  let quiet = true;
  const heartbeat = setInterval(() => {
    if (quiet) response.write(':\n\n');
    quiet = true;
  }, limits.heartbeatMs);
  try {
    await send(response, `retry: 2000\nid: ${mark}\nevent: open\ndata: {}\n\n`, { limits, signal });
    const span = await reader.span(traceId, mark, signal);
    const live = {
      traceId,
      mark,
      span,
      mostForNodes: limits.stateRecords,
      mostForNodesMs: limits.stateRecordsMs,
      graceMs,
      everyMs: limits.stateMs,
      now: () => Date.now(),
    };
    for await (const event of liveTrace(reader, live, signal)) {
      quiet = false;
      if ('state' in event) {
        await send(response, `event: state\ndata: ${JSON.stringify(event.state)}\n\n`, { limits, signal });
        continue;
      }
      const { records, mark: behind } = event;
      // JSON text as it is stored may hold line ends, each of which is a line of data.
      const data = records
        .map(recordJson)
        .join(',')
        .replaceAll(/\r\n|\r|\n/g, '\ndata: ');
      await send(response, `id: ${behind}\nevent: lines\ndata: [${data}]\n\n`, { limits, signal });
    }
  } finally {
    clearInterval(heartbeat);
  }
}

/** Waits until the client has taken enough. @throws where it takes nothing for too long. */
async function send(
  response: ServerResponse,
  text: string,
  { limits, signal }: { limits: Limits; signal: AbortSignal },
): Promise<void> {
  signal.throwIfAborted();
  if (text === '' || response.write(text)) return;
  await once(response, 'drain', { signal: AbortSignal.any([signal, AbortSignal.timeout(limits.stalledMs)]) });
}
