import type { Readable } from 'node:stream';

/** A record in a line of the writers file, s3 and gcs. */
export interface NdjsonRecord {
  readonly traceId: string;
  readonly unixNano: string;
  readonly id: string;
  /** Its JSON. */
  readonly value: Buffer;
}

const line = /^\{"timestamp":(\d+),"traceId":("(?:[^"\\]|\\.)*"),"log":(.*),"id":"([^"]+)"\}$/s;

/** The records in plain lines. @param name for messages. @throws where a line is none, or the last has no end. */
export async function* ndjsonRecords(input: Readable, name: string): AsyncGenerator<NdjsonRecord, void> {
  let rest = '';
  for await (const chunk of input as AsyncIterable<Buffer>) {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) yield recordIn(text, name);
  }
  if (rest !== '') throw new Error(`Cannot read ${name}: its last line has no end: ${rest.slice(0, 300)}`);
}

function recordIn(text: string, name: string): NdjsonRecord {
  const [, unixNano = '', traceId = '', json = '', id = ''] = line.exec(text) ?? [];
  if (id === '') throw new Error(`Cannot read a line of ${name}: it is ${text.slice(0, 300)}`);
  return {
    traceId: JSON.parse(Buffer.from(traceId, 'latin1').toString('utf8')) as string,
    unixNano,
    id,
    value: Buffer.from(json, 'latin1'),
  };
}
