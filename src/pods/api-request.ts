import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { http } from '../util/node-http.ts';
import type { ApiAccess } from './api-access.ts';

/** The API answered, and refused. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** The HTTP status, or the code of an ERROR event. */
  readonly status: number;
  /** The API's own word, such as `Forbidden` or `Expired`; empty where it gave none. */
  readonly reason: string;
  /** The server's own word on when to come back, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, reason: string, message: string, retryAfterMs?: number) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

/** No answer, or no further part of one, in time. */
export class ApiTimeoutError extends Error {
  override readonly name = 'ApiTimeoutError';
}

/** Makes requests to the API. */
export interface ApiClient {
  /**
   * Sends a GET and resolves with the answer, whose body is still to come, once its status is 200. The signal
   * ends the request and the body too.
   *
   * @param fresh takes a connection of its own: the kept one may be dead without our knowing.
   * @throws ApiError where the API refuses; errors of the network as Node.js gives them.
   */
  get(path: string, query: Query, options: GetOptions): Promise<IncomingMessage>;
  /** Sends an object to be made, and resolves with the answer's object. @throws as `get`. */
  post(path: string, body: object, signal: AbortSignal): Promise<unknown>;
}

export type Query = Readonly<Record<string, string | undefined>>;

export interface GetOptions {
  readonly accept: string;
  readonly signal: AbortSignal;
  readonly fresh?: boolean;
}

const mostErrorBytes = 65_536;

/**
 * Requests over node:https. The client's own `Watch` is not used: it throws away the body of a refusal, which
 * names the missing permission; it takes an exception of our handler, or a line that is no JSON, for nothing; and
 * it brings undici, 30 MB of resident memory.
 */
export function createApiClient(access: ApiAccess, userAgent: string): ApiClient {
  const server = new URL(access.server);
  const basePath = server.pathname.replace(/\/$/, '');
  const send = server.protocol === 'http:' ? http.request : httpsRequest;
  // One kept connection saves a TLS handshake at each retry; it is never the only one tried, see `fresh`.
  const kept = server.protocol === 'http:' ? undefined : new Agent({ keepAlive: true, maxFreeSockets: 1 });

  const ask = async (
    path: string,
    query: Query,
    { accept, signal, fresh = false }: GetOptions,
    body?: string,
  ): Promise<IncomingMessage> => {
    const { headers, agent, ...credentials } = await access.requestOptions();
    const url = new URL(basePath + path, server);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const json = body === undefined ? {} : { 'content-type': 'application/json' };
    const request = send(url, {
      ...credentials,
      method: body === undefined ? 'GET' : 'POST',
      agent: agent ?? (fresh ? false : kept),
      headers: { ...plain(headers), ...json, accept, 'user-agent': userAgent },
      signal,
    });
    request.once('response', resolve);
    // Stays for the request's whole life: an error after the answer has begun is the body's to tell.
    request.on('error', reject);
    request.once('socket', (socket) => socket.setKeepAlive(true, 15_000));
    request.end(body);

    const response = await promise;
    // The body's reader is told of its errors; an abandoned body has no reader, and that is no crash.
    response.on('error', reject);
    response.setEncoding('utf8');
    if (response.statusCode === (body === undefined ? 200 : 201)) return response;
    throw await refusal(response);
  };

  return {
    get: ask,
    async post(path, object, signal) {
      const answer = await ask(
        path,
        {},
        { accept: 'application/json', signal, fresh: true },
        JSON.stringify(object),
      );
      return JSON.parse(await bodyText(answer, Infinity)) as unknown;
    },
  };
}

/** Reads a body to its end. */
export async function bodyText(response: IncomingMessage, mostBytes: number): Promise<string> {
  let text = '';
  for await (const chunk of response as AsyncIterable<string>) {
    text += chunk;
    if (text.length > mostBytes) break;
  }
  return text;
}

/** What a Status object of the API says (`meta/v1` Status), whether it is an answer's body or an event's object. */
export function statusError(status: unknown, httpStatus = 500, retryAfter?: string): ApiError {
  const { code, reason, message, details } = (
    typeof status === 'object' && status !== null ? status : {}
  ) as Partial<Status>;
  const seconds = Number(retryAfter ?? details?.retryAfterSeconds);
  return new ApiError(
    code ?? httpStatus,
    reason ?? '',
    message ?? `the API answered with status ${code ?? httpStatus}`,
    Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : undefined,
  );
}

interface Status {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly details: { readonly retryAfterSeconds?: number };
}

async function refusal(response: IncomingMessage): Promise<ApiError> {
  const text = await bodyText(response, mostErrorBytes);
  return statusError(parsed(text), response.statusCode, response.headers['retry-after']);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's page in place of the API's answer: the HTTP status says enough.
    return undefined;
  }
}

/** Options may carry headers as a list, which ours never do. */
function plain(headers: unknown): Record<string, string> {
  return headers !== null && typeof headers === 'object' && !Array.isArray(headers)
    ? (headers as Record<string, string>)
    : {};
}
