/** What is shown of a record, whoever wrote it. Nothing in it is safe for a terminal yet. */
export interface RecordView {
  /** `TRACE`, `DEBUG`, `INFO`, `WARN`, `ERROR`, `FATAL`, else as the record has it; empty where it has none. */
  readonly level: string;
  readonly message: string;
  /** `<pod>/<container>`; empty where the record does not say. */
  readonly source: string;
  /** All other members, in their order. */
  readonly fields: readonly (readonly [name: string, value: unknown])[];
}

/** Members that hold the level, by what is common: pino, bunyan, zap, logrus, slog; GCP; ECS; OpenTelemetry. */
const levelNames = ['level', 'severity', 'lvl', 'log.level', 'loglevel', 'severityText', 'severity_text'];
const messageNames = ['msg', 'message', 'log', 'body', 'event', 'text'];

/** pino's and bunyan's numbers. */
const numbered = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] as const;

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

/** @param json a record's text; what is no JSON object becomes the message as it is. */
export function viewRecord(json: string): RecordView {
  const record = parseObject(json);
  if (record === undefined) return { level: '', message: json, source: '', fields: [] };
  const levelName = levelNames.find((name) => isShort(record[name]));
  const messageName = messageNames.find((name) => typeof record[name] === 'string');
  const kubernetes = record['kubernetes'];
  const shown = new Set(['time', 'traceId', levelName, messageName]);
  const source = sourceOf(kubernetes);
  if (source !== '') shown.add('kubernetes');
  return {
    level: levelName === undefined ? '' : levelOf(record[levelName] as string | number),
    message: messageName === undefined ? '' : String(record[messageName]),
    source,
    fields: Object.entries(record).filter(([name]) => !shown.has(name)),
  };
}

function parseObject(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function isShort(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && value !== '' && value.length <= 20);
}

function levelOf(value: string | number): string {
  const number = Number(value);
  if (Number.isInteger(number) && number >= 10 && number < 70) return numbered[Math.floor(number / 10) - 1]!;
  const name = String(value).toUpperCase();
  return sameLevel[name] ?? name;
}

function sourceOf(kubernetes: unknown): string {
  if (typeof kubernetes !== 'object' || kubernetes === null) return '';
  const { pod, container } = kubernetes as Record<string, unknown>;
  return typeof pod === 'string' && typeof container === 'string' ? `${pod}/${container}` : '';
}
