import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigError } from '../util/config-error.ts';
import type { LogRecord } from '../record/log-record.ts';
import {
  type BatchPreference,
  type LogWriter,
  PartialWriteError,
  RejectedError,
  type Rejection,
  RetryAfterError,
  type WriterLogger,
  type WriterOptions,
} from './log-writer.ts';

export interface CustomWriterContext {
  readonly options: WriterOptions;
  readonly logger: WriterLogger;
  /** What a relative path is relative to; absolute. */
  readonly cwd: string;
}

/**
 * Loads a user's writer: a module whose default export is `(options, logger) => LogWriter`, also as a promise.
 *
 * @param name a path that begins with `./`, `../` or `/`, or the name of an installed package.
 * @throws ConfigError where there is no such module, or it is none.
 */
export async function loadCustomWriter(name: string, context: CustomWriterContext): Promise<LogWriter> {
  const refuse = (problem: string, cause?: unknown): ConfigError =>
    new ConfigError([`WRITERS (--writers) names "${name}": ${problem}`], { cause });

  let module: { readonly default?: unknown };
  const url = locate(name, context.cwd);
  try {
    module = (await import(url)) as { readonly default?: unknown };
  } catch (error) {
    throw refuse(`the module cannot be loaded: ${messageOf(error)}`, error);
  }

  let create: unknown = module.default;
  // A CommonJS module that was compiled from `export default` has it one deeper.
  if (typeof create === 'object' && create !== null && 'default' in create) create = create.default;
  if (create === undefined) {
    throw refuse('the module has no default export; it must be a function (options, logger) => LogWriter');
  }
  if (typeof create !== 'function') {
    throw refuse(
      `its default export is ${article(typeof create)}; it must be a function (options, logger) => LogWriter`,
    );
  }

  let writer: unknown;
  try {
    writer = await (create as (options: WriterOptions, logger: WriterLogger) => unknown)(
      context.options,
      context.logger,
    );
  } catch (error) {
    throw refuse(`its function failed: ${messageOf(error)}`, error);
  }
  const faults = faultsOf(writer);
  if (faults.length > 0) throw refuse(`what its function returned is no LogWriter: ${faults.join('; ')}`);
  return withKnownErrors(writer as LogWriter);
}

/** Beside the agent's own packages first, then as seen from the working directory. */
function locate(name: string, cwd: string): string {
  if (/^\.{0,2}\//.test(name)) return pathToFileURL(resolve(cwd, name)).href;
  try {
    return import.meta.resolve(name);
  } catch (own) {
    try {
      return pathToFileURL(createRequire(join(cwd, 'x')).resolve(name)).href;
    } catch {
      throw new ConfigError(
        [
          `WRITERS (--writers) names "${name}": no such package is installed, neither with Frostbeat nor in ${cwd}; ` +
            'the path of a module must begin with ./ or /',
        ],
        { cause: own },
      );
    }
  }
}

/**
 * A module need not import anything of ours: an error of the name and with the members of one of ours is as good.
 */
function withKnownErrors(writer: LogWriter): LogWriter {
  return {
    name: writer.name,
    ...(writer.batch && { batch: writer.batch }),
    ...(writer.open && { open: async (signal: AbortSignal) => await writer.open?.(signal) }),
    ...(writer.check && { check: async (signal: AbortSignal) => await writer.check?.(signal) }),
    ...(writer.close && { close: async () => await writer.close?.() }),
    writeBatch: async (records, signal) => {
      try {
        await writer.writeBatch(records, signal);
      } catch (error) {
        throw knownError(error);
      }
    },
  };
}

function knownError(error: unknown): unknown {
  if (!(error instanceof Error)) return new Error(`The writer threw what is no Error: ${String(error)}`);
  const { name, message, stored, rejections, delayMs } = error as Error &
    Partial<Record<'stored' | 'rejections' | 'delayMs', unknown>>;
  const delay = typeof delayMs === 'number' && delayMs >= 0 ? delayMs : undefined;
  if (name === 'RejectedError' && Array.isArray(rejections)) {
    return new RejectedError(rejections as Rejection[], { cause: error });
  }
  if (name === 'PartialWriteError' && Array.isArray(stored)) {
    const part = {
      stored: stored as LogRecord[],
      ...(Array.isArray(rejections) && { rejections: rejections as Rejection[] }),
      ...(delay !== undefined && { delayMs: delay }),
    };
    return new PartialWriteError(message, part, { cause: error });
  }
  if (name === 'RetryAfterError' && delay !== undefined) {
    return new RetryAfterError(message, delay, { cause: error });
  }
  return error;
}

/** What keeps a value from being a LogWriter. */
function faultsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null)
    return [`it is ${value === null ? 'null' : article(typeof value)}`];
  const writer = value as Partial<Record<keyof LogWriter, unknown>>;
  const faults: string[] = [];
  if (typeof writer.name !== 'string' || !/^[a-z0-9][-_.a-z0-9]*$/.test(writer.name)) {
    faults.push('its member name must be a text of lower-case letters, digits, - _ and .');
  }
  if (typeof writer.writeBatch !== 'function') {
    faults.push('it must have a method writeBatch(records, signal)');
  }
  for (const method of ['open', 'check', 'close'] as const) {
    if (writer[method] !== undefined && typeof writer[method] !== 'function') {
      faults.push(`its member ${method} must be a method`);
    }
  }
  if (writer.batch !== undefined && !isPreference(writer.batch)) {
    faults.push(
      'its member batch must be {records, bytes}, and periodMs if it likes, all whole numbers of at least 1',
    );
  }
  return faults;
}

function isPreference(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { records, bytes, periodMs = 1 } = value as Partial<Record<keyof BatchPreference, unknown>>;
  return [records, bytes, periodMs].every((number) => Number.isSafeInteger(number) && Number(number) >= 1);
}

function article(type: string): string {
  return type === 'undefined' ? 'undefined' : `${type === 'object' ? 'an' : 'a'} ${type}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
