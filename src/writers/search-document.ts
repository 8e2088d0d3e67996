import { isUtf8 } from 'node:buffer';
import type { LogRecord } from '../record/log-record.ts';
import type { ByteBuffer } from './byte-buffer.ts';
import type { SearchFields } from './search-template.ts';

export interface DocumentOptions {
  readonly fields: SearchFields;
  /** Say where the record came from; only with `ecs`, since a record has it in itself. */
  readonly kubernetes: boolean;
  /** When it is sent, in milliseconds since 1970: what `frostbeat trace --follow` goes by. */
  readonly storedAt: number;
}

/**
 * Adds the document of a record, without a line feed.
 *
 * With `record` it is the record's own bytes, and `@timestamp` and `frostbeat` added at the end, where it has no
 * members of these names itself. With `ecs` it has the names of the Elastic Common Schema, and the record's own bytes
 * in `frostbeat.record`. Bytes that are no valid UTF-8, which JSON over HTTP cannot carry, become U+FFFD.
 */
export function addDocument(target: ByteBuffer, record: LogRecord, options: DocumentOptions): void {
  if (options.fields === 'ecs') addEcs(target, record, options);
  else addPlain(target, record, options);
}

/** What `addDocument` with `record` adds at the end of a record, for `recordOf`. */
const added =
  /(?:,"@timestamp":"[-0-9T:.]+Z")?(?:,"frostbeat":\{"id":"[^"]*","unixNano":\d+,"storedAt":\d+\})?\}$/;
/** Bytes, at least as many as are ever added. */
const ADDED_BYTES = 256;

/** The record's bytes in a document, given `_source` as the server keeps it: what was added is taken away. */
export function recordOf(source: Buffer, recordMember: Buffer | undefined): Buffer {
  if (recordMember !== undefined) return recordMember;
  const tail = source.subarray(Math.max(0, source.length - ADDED_BYTES)).toString('latin1');
  const found = added.exec(tail)?.[0].length ?? 1;
  if (found === 1) return source;
  return Buffer.concat([source.subarray(0, source.length - found), Buffer.from('}')]);
}

/** RFC 3339 in UTC, to the nanosecond. */
export function timestampOf(unixNano: string): string {
  const seconds = unixNano.slice(0, -9) || '0';
  const fraction = unixNano.slice(-9).padStart(9, '0');
  if (seconds !== lastSecond.seconds)
    lastSecond = { seconds, text: new Date(Number(seconds) * 1_000).toISOString().replace(/\d+Z$/, '') };
  return `${lastSecond.text}${fraction}Z`;
}

/** Records of one second come one after the other, and to write a date takes as long as all else of a document. */
let lastSecond = { seconds: '', text: '' };

function addPlain(target: ByteBuffer, record: LogRecord, { storedAt }: DocumentOptions): void {
  const start = target.length;
  addJson(target, record);
  const json = target.bytes().subarray(start);
  const own = ownMembers(json);
  target.truncate(start + json.lastIndexOf(0x7d));
  if (!own.timestamp) target.add(`,"@timestamp":"${timestampOf(record.unixNano)}"`);
  if (!own.frostbeat) target.add(`,"frostbeat":${frostbeat(record, storedAt)}}`);
  target.add('}');
}

function addEcs(target: ByteBuffer, record: LogRecord, { kubernetes, storedAt }: DocumentOptions): void {
  const { traceId, unixNano, source } = record;
  const { message, msg, level, severity, service } = membersOf(record);
  const text = firstText(message, msg);
  const severe = firstText(level, severity);
  const name = firstText(service);
  const document = {
    '@timestamp': timestampOf(unixNano),
    ecs: { version: '8.11.0' },
    trace: { id: traceId },
    ...(severe !== undefined && { log: { level: severe } }),
    ...(text !== undefined && { message: text }),
    ...(name !== undefined && { service: { name } }),
    ...(kubernetes && {
      ...(source.node !== '' && { host: { name: source.node } }),
      kubernetes: {
        namespace: source.namespace,
        pod: { name: source.pod },
        container: { name: source.container },
        ...(source.node !== '' && { node: { name: source.node } }),
      },
    }),
  };
  const known = JSON.stringify(document).slice(0, -1);
  target.addUtf8(known);
  target.add(`,"frostbeat":${frostbeat(record, storedAt)},"record":`);
  addJson(target, record);
  target.add('}}');
}

/** Without its last brace. */
function frostbeat({ id, unixNano }: LogRecord, storedAt: number): string {
  return `{"id":"${id}","unixNano":${unixNano},"storedAt":${storedAt}`;
}

/** The record's bytes as valid UTF-8 on one line. */
function addJson(target: ByteBuffer, record: LogRecord): void {
  const start = target.length;
  target.addRecord(record);
  const json = target.bytes().subarray(start);
  const isFit = isUtf8(json) && !json.includes(0x0a) && !json.includes(0x0d);
  if (isFit) return;
  // Between members JSON takes line feeds; inside of texts it has none.
  const text = json.toString('utf8').replaceAll(/[\r\n]/g, ' ');
  target.truncate(start);
  target.addUtf8(text);
}

function ownMembers(json: Buffer): { timestamp: boolean; frostbeat: boolean } {
  if (!json.includes('"@timestamp"') && !json.includes('"frostbeat"'))
    return { timestamp: false, frostbeat: false };
  const members = parsed(json.toString('utf8'));
  return { timestamp: Object.hasOwn(members, '@timestamp'), frostbeat: Object.hasOwn(members, 'frostbeat') };
}

function membersOf(record: LogRecord): Record<string, unknown> {
  return parsed(record.toBytes().toString('utf8'));
}

function parsed(json: string): Record<string, unknown> {
  try {
    return JSON.parse(json) as Record<string, unknown>;
  } catch {
    return {}; // The server says what is wrong with it.
  }
}

function firstText(...values: unknown[]): string | undefined {
  return values.find((value): value is string => typeof value === 'string');
}
