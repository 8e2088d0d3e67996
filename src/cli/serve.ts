import { readFile } from 'node:fs/promises';
import type { Config } from '../config/config.ts';
import { createLog } from '../ops/log.ts';
import { serveTraces } from '../serve/serve-traces.ts';
import type { Readable } from '../trace/select-reader.ts';
import { ConfigError } from '../util/config-error.ts';
import type { Context } from './context.ts';
import { readerOf } from './reader-of.ts';

export interface ServeRequest extends Pick<Context, 'stdout' | 'stderr' | 'signal'> {
  readonly config: Config;
  readonly from?: Readable | undefined;
}

/** The names of this machine to itself. */
const loopback = new Set(['localhost', '127.0.0.1', '::1']);

/**
 * `frostbeat serve`: the page and the API, until it is asked to stop.
 *
 * @returns 0; 2 where no destination can be asked.
 * @throws ConfigError where the password cannot be read; Error where the port cannot be had.
 */
export async function serveCommand(request: ServeRequest): Promise<number> {
  const { config, stdout, stderr, signal } = request;
  const reader = await readerOf({ ...request, livesOn: true });
  if (reader === undefined) return 2;
  const { host, username, passwordFile, userHeader } = config.serve;
  const log = await createLog({ level: config.logLevel, pretty: stderr.isTTY === true });
  const basic = username !== undefined && passwordFile !== undefined;
  const onlyLocal = loopback.has(host);
  const server = await serveTraces({
    reader,
    host,
    port: config.httpPort,
    access: {
      ...(basic && { basic: { username, password: await passwordIn(passwordFile) } }),
      userHeader: userHeader?.toLowerCase(),
      onlyLocal,
    },
    graceMs: config.traceGraceMs,
    log,
  });
  stdout.write(
    `Traces of ${reader.name}: http://${host.includes(':') ? `[${host}]` : host}:${server.port}/\n`,
  );
  if (!onlyLocal && !basic && userHeader === undefined) {
    log.warn(
      { host },
      'Whoever can reach this port can read all logs: set SERVE_USERNAME or SERVE_USER_HEADER',
    );
  }
  // What cannot be read now is said to whoever asks.
  reader.prepare?.(signal).catch(() => undefined);
  if (!signal.aborted) {
    const { promise, resolve } = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
  }
  await server.close();
  await reader.close();
  return 0;
}

async function passwordIn(file: string): Promise<string> {
  const password = (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
  if (password === '') throw new ConfigError([`SERVE_PASSWORD_FILE is "${file}": it must hold the password`]);
  return password;
}
