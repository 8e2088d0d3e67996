import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Log } from '../ops/log.ts';
import type { TraceReader } from '../trace/trace-reader.ts';
import { Api } from './api.ts';
import { type Access, guard } from './guard.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { type PageFile, pageFiles } from './page-files.ts';
import { Problem } from './problem.ts';

export interface ServeOptions {
  readonly reader: TraceReader;
  /** An address or a name of this machine. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly access: Access;
  /** How far beyond its last record all nodes must be before a trace is complete, in milliseconds. */
  readonly graceMs: number;
  readonly log: Pick<Log, 'warn' | 'error'>;
  /** Only tests give them. */
  readonly limits?: Partial<Limits>;
}

export interface TraceServer {
  readonly port: number;
  /** Ends what is open, too. */
  close(): Promise<void>;
}

/**
 * Nothing but our own files is loaded or run, no other page frames this one, no address with a trace ID is told to
 * another site, and nothing is kept in caches: it may be secret.
 */
const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

/**
 * Serves the page and the API over one reader. It reads and never writes.
 *
 * @throws where the port cannot be had or the page is not built.
 */
export async function serveTraces(options: ServeOptions): Promise<TraceServer> {
  const { reader, access, log } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const files = await pageFiles();
  const api = new Api(reader, { limits, graceMs: options.graceMs });
  const stop = new AbortController();
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 10_000 }, (request, response) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort(new Error('the client went away')));
    const signal = AbortSignal.any([stop.signal, gone.signal]);
    answer({ request, response, signal, files, api, access, reader }).catch((error: unknown) => {
      if (signal.aborted) response.destroy();
      else fail(error, response, log);
    });
  });
  server.maxConnections = limits.connections;
  await listen(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      stop.abort(new Error('the server stops'));
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      server.closeAllConnections();
      await promise;
    },
  };
}

async function answer(parts: {
  request: IncomingMessage;
  response: ServerResponse;
  signal: AbortSignal;
  files: ReadonlyMap<string, PageFile>;
  api: Api;
  access: Access;
  reader: TraceReader;
}): Promise<void> {
  const { request, response, signal, files, api, access, reader } = parts;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  const url = URL.parse(request.url ?? '/', 'http://localhost');
  if (url === null) throw new Problem(400, 'The address is none');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    throw new Problem(405, 'Only GET and HEAD: nothing here can be changed', { allow: 'GET, HEAD' });
  }
  // The kubelet asks this one, under whatever name and without a password.
  if (url.pathname === '/healthz') return sendText(response, 200, 'ok\n');
  guard(request, access);
  if (url.pathname === '/readyz') {
    await reader.now(AbortSignal.any([signal, AbortSignal.timeout(5_000)]));
    return sendText(response, 200, 'ok\n');
  }
  const file = files.get(url.pathname);
  if (file !== undefined) {
    response.writeHead(200, { 'content-type': file.type, 'content-length': file.bytes.length });
    response.end(request.method === 'HEAD' ? undefined : file.bytes);
  } else if (url.pathname.startsWith('/api/')) {
    await api.answer(url, request, response, signal);
  } else {
    throw new Problem(404, 'Not found');
  }
}

/** What a reader says is told: whoever may read may know why not. What is our fault is logged, and said without a word of it. */
function fail(error: unknown, response: ServerResponse, log: ServeOptions['log']): void {
  if (response.headersSent) {
    log.warn({ err: error }, 'A stream was cut short');
    response.destroy();
    return;
  }
  if (error instanceof Problem) {
    for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
    sendText(response, error.status, `${error.message}\n`);
    return;
  }
  log.error({ err: error }, 'Cannot answer');
  sendText(response, 502, `Cannot read: ${error instanceof Error ? error.message : 'unknown'}\n`);
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(text);
}

async function listen(
  server: ReturnType<typeof createServer>,
  { host, port }: Pick<ServeOptions, 'host' | 'port'>,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, resolve);
  try {
    await promise;
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const why =
      code === 'EADDRINUSE'
        ? 'it is in use by another process; HTTP_PORT chooses another, 0 a free one'
        : cause instanceof Error
          ? cause.message
          : String(cause);
    throw new Error(`Cannot serve on ${host}, port ${port}: ${why}`, { cause });
  } finally {
    server.removeListener('error', reject);
  }
}
