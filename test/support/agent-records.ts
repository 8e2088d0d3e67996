import { InFlight } from '../../src/offsets/in-flight.ts';
import { AgentRecord, type SourceWithText, withText } from '../../src/record/agent-record.ts';
import type { LogRecord } from '../../src/record/log-record.ts';
import { parseRecord } from '../../src/record/parse-record.ts';
import { sliceOf } from '../../src/util/byte-slice.ts';

export interface Origin {
  readonly fileId?: string;
  readonly source?: SourceWithText;
}

const shop = withText({ namespace: 'shop', pod: 'cart-1', container: 'main', node: 'n1' }, true);

/** A record as the agent makes it: its small parts are at hand as bytes. @param traceId as it stands in the JSON text. */
export function agentRecord(
  traceId: string | Buffer,
  offset = 0,
  time = '2026-11-24T05:30:57.5Z',
  { fileId = '00ff3c4d5e6f7a8b', source = shop }: Origin = {},
): AgentRecord {
  const window = new InFlight(fileId, offset, () => undefined);
  const parts = [`{"time":"${time}","traceId":"`, traceId, '"}'].map((part) => Buffer.from(part));
  const json = Buffer.concat(parts).toString('latin1');
  const parsed = parseRecord(sliceOf(json));
  if (typeof parsed === 'string') throw new Error(`Cannot make a record: it is ${parsed}`);
  return new AgentRecord(parsed, source, { claim: window.claim(offset, offset + 100), offset });
}

/** The same record as one that has texts and nothing else. */
export function inTexts(record: AgentRecord): LogRecord {
  const { id, traceId, unixNano, source, latin1, byteLength } = record;
  return {
    id,
    traceId,
    unixNano,
    source,
    latin1,
    byteLength,
    toBytes: () => record.toBytes(),
    copyTo: (target, at) => record.copyTo(target, at),
  };
}
