import { levels } from './levels.ts';

/** What is shown of a record, whoever wrote it. Nothing in it is safe for a terminal or a page yet. */
export interface RecordView {
  /** `TRACE`, `DEBUG`, `INFO`, `WARN`, `ERROR`, `FATAL`, else as the record has it; empty where it has none. */
  readonly level: string;
  readonly message: string;
  readonly namespace: string;
  /** Empty, with `container`, where the record does not say. */
  readonly pod: string;
  readonly container: string;
  /** A stack trace: the member `stack` of the record or of its error; empty where there is none. */
  readonly stack: string;
  /** All other members, in their order. */
  readonly fields: readonly (readonly [name: string, value: unknown])[];
}

/** Members that hold the level, by what is common: pino, bunyan, zap, logrus, slog; GCP; ECS; OpenTelemetry. */
const levelNames = ['level', 'severity', 'lvl', 'log.level', 'loglevel', 'severityText', 'severity_text'];
const messageNames = ['msg', 'message', 'log', 'body', 'event', 'text'];
const stackNames = ['stack', 'stacktrace', 'stack_trace', 'error.stack_trace', 'exception.stacktrace'];
/** Members whose object may hold the stack. */
const errorNames = ['err', 'error', 'exception'];

const sameLevel: Readonly<Record<string, string>> = {
  WARNING: 'WARN',
  ERR: 'ERROR',
  CRITICAL: 'FATAL',
  CRIT: 'FATAL',
  EMERGENCY: 'FATAL',
  EMERG: 'FATAL',
  ALERT: 'FATAL',
  PANIC: 'FATAL',
  DPANIC: 'FATAL',
  INFORMATION: 'INFO',
  NOTICE: 'INFO',
  VERBOSE: 'TRACE',
};

type Json = Record<string, unknown>;

/** @param json a record's text; what is no JSON object becomes the message as it is. */
export function viewRecord(json: string): RecordView {
  const record = parseObject(json);
  if (record === undefined) {
    return { level: '', message: json, namespace: '', pod: '', container: '', stack: '', fields: [] };
  }
  const levelName = levelNames.find((name) => isShort(record[name]));
  const messageName = messageNames.find((name) => typeof record[name] === 'string');
  const place = placeOf(record['kubernetes']);
  const { stack, fields } = takeStack(record);
  const shown = new Set(['time', 'traceId', levelName, messageName]);
  if (place.pod !== '') shown.add('kubernetes');
  return {
    level: levelName === undefined ? '' : levelOf(record[levelName] as string | number),
    message: messageName === undefined ? '' : String(record[messageName]),
    ...place,
    stack,
    fields: fields.filter(([name]) => !shown.has(name)),
  };
}

function parseObject(json: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null;
}

function isShort(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && value !== '' && value.length <= 20);
}

function levelOf(value: string | number): string {
  const number = Number(value);
  // pino's and bunyan's numbers.
  if (Number.isInteger(number) && number >= 10 && number < 70) return levels[Math.floor(number / 10) - 1]!;
  const name = String(value).toUpperCase();
  return sameLevel[name] ?? name;
}

function placeOf(kubernetes: unknown): Pick<RecordView, 'namespace' | 'pod' | 'container'> {
  const { namespace, pod, container } = isObject(kubernetes) ? kubernetes : {};
  return typeof pod === 'string' && typeof container === 'string'
    ? { namespace: typeof namespace === 'string' ? namespace : '', pod, container }
    : { namespace: '', pod: '', container: '' };
}

/** The stack, and the members without it. A text in one line is a member like any other. */
function takeStack(record: Json): { stack: string; fields: [string, unknown][] } {
  const all = Object.entries(record);
  const own = stackNames.find((name) => isStack(record[name]));
  if (own !== undefined) return { stack: String(record[own]), fields: all.filter(([name]) => name !== own) };
  for (const name of errorNames) {
    const error = record[name];
    if (!isObject(error)) continue;
    const inside = stackNames.find((one) => isStack(error[one]));
    if (inside === undefined) continue;
    const rest = Object.fromEntries(Object.entries(error).filter(([one]) => one !== inside));
    return {
      stack: String(error[inside]),
      fields: all.map(([one, value]) => [one, one === name ? rest : value]),
    };
  }
  return { stack: '', fields: all };
}

function isStack(value: unknown): boolean {
  return typeof value === 'string' && value.includes('\n');
}
