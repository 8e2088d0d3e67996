import { fileURLToPath } from 'node:url';
import { loadCustomWriter } from '../writers/custom-writer.ts';
import type { LogWriter, Rejection, WriterLogger, WriterOptions } from '../writers/log-writer.ts';
import { builtInNames, selectWriters } from '../writers/select-writer.ts';
import { endsWithin } from './ends-within.ts';
import type { Subject } from './subject.ts';
import { keyOf, type TestRecord, TestRecords } from './test-records.ts';

const silent: WriterLogger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
const PATIENCE_MS = 60_000;
const SOON_MS = 10_000;

/** What a check works with: writers that are closed at its end, records, and the look into the destination. */
export class Workbench {
  readonly subject: Subject;
  readonly records = new TestRecords();
  readonly #writers: LogWriter[] = [];

  constructor(subject: Subject) {
    this.subject = subject;
  }

  get patienceMs(): number {
    return this.subject.patienceMs ?? PATIENCE_MS;
  }

  /** How soon that must end which is told to, in milliseconds. */
  get soonMs(): number {
    return Math.min(this.patienceMs, SOON_MS);
  }

  /** A signal that aborts when the patience is over. */
  patience(): AbortSignal {
    return AbortSignal.timeout(this.patienceMs);
  }

  /** A new writer, not open yet. */
  async make(options: WriterOptions = {}): Promise<LogWriter> {
    const writer = await loadWriter(this.subject, options);
    this.#writers.push(writer);
    return writer;
  }

  /** A new writer, open. */
  async open(options: WriterOptions = {}): Promise<LogWriter> {
    const writer = await this.make(options);
    await writer.open?.(this.patience());
    return writer;
  }

  /**
   * @param most how often each may be there. Default 1.
   * @throws where one of the records is not in the destination, is there more often, or is not what it was.
   */
  async expectStored(records: readonly TestRecord[], most = 1): Promise<void> {
    const copies = await this.copies();
    const faults: string[] = [];
    for (const record of records) {
      const found = copies.get(record.key) ?? [];
      const told = `the record ${record.id} of ${record.byteLength} bytes`;
      if (found.length === 0) faults.push(`${told} is not stored`);
      else if (found.length > most) faults.push(`${told} is stored ${found.length} times`);
      const other = found.find((bytes) => !this.#isSame(bytes, record.toBytes()));
      if (other !== undefined)
        faults.push(`${told} is stored as ${start(other)} and was ${start(record.toBytes())}`);
    }
    fail(faults);
  }

  /** @throws where there is one. */
  expectNoRefusal(refused: readonly Rejection[]): void {
    fail(refused.map(({ record, reason }) => `the record ${record.id} is refused: ${reason}`));
  }

  /** @throws where one of the records is in the destination. */
  async expectAbsent(records: readonly TestRecord[]): Promise<void> {
    const copies = await this.copies();
    fail(records.filter(({ key }) => copies.has(key)).map(({ id }) => `the record ${id} is stored`));
  }

  /** What the destination holds of all records of all runs, by key. */
  async copies(): Promise<Map<string, Buffer[]>> {
    const copies = new Map<string, Buffer[]>();
    for (const stored of await this.subject.stored()) {
      const bytes = typeof stored === 'string' ? Buffer.from(stored, 'utf8') : Buffer.from(stored);
      const key = keyOf(bytes.toString('latin1'));
      if (key === undefined) continue;
      const list = copies.get(key);
      if (list === undefined) copies.set(key, [bytes]);
      else list.push(bytes);
    }
    return copies;
  }

  /** Closes the writers that the trial made. */
  async close(): Promise<void> {
    const closed = this.#writers.map(async (writer) => await endsWithin(writer.close?.(), this.soonMs));
    await Promise.allSettled(closed);
  }

  #isSame(stored: Buffer, given: Buffer): boolean {
    if (this.subject.keeps !== 'json') return stored.equals(given);
    return canonical(stored) === canonical(given);
  }
}

/** The writer of a module, as the agent would make it. */
export async function loadWriter(
  { writer, options }: Pick<Subject, 'writer' | 'options'>,
  more: WriterOptions = {},
): Promise<LogWriter> {
  const env = { ...options, ...more };
  if (builtInNames.includes(writer)) return await builtInWriter({ ...env, WRITERS: writer });
  const name = writer.startsWith('file:') ? fileURLToPath(writer) : writer;
  return await loadCustomWriter(name, { options: env, logger: silent, cwd: process.cwd() });
}

/** One that comes with Frostbeat. What it needs is loaded only for it: the author of another need not have it. */
async function builtInWriter(env: WriterOptions): Promise<LogWriter> {
  const [{ loadConfig, validConfig }, { createLog }] = await Promise.all([
    import('../config/load-config.ts'),
    import('../ops/log.ts'),
  ]);
  const checks = { node: false, stateDir: false };
  const config = validConfig(loadConfig({ env, flags: {}, cwd: process.cwd(), checks }));
  const log = await createLog({ level: 'silent', pretty: false });
  const [made] = await selectWriters({ config, log });
  if (made === undefined) throw new Error(`Cannot test the writer ${env['WRITERS']}: there is none`);
  return made;
}

function canonical(json: Buffer): string {
  return JSON.stringify(JSON.parse(json.toString('utf8')));
}

function start(bytes: Buffer): string {
  return JSON.stringify(bytes.subarray(0, 200).toString('latin1'));
}

function fail(faults: readonly string[]): void {
  if (faults.length === 0) return;
  const more = faults.length > 3 ? `; and ${faults.length - 3} more` : '';
  throw new Error(`${faults.slice(0, 3).join('; ')}${more}`);
}

function ignore(): void {
  // What the writer says is not looked at.
}
