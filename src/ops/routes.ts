import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

/** What is sent back. */
export interface Answer {
  /** Default 200. */
  readonly status?: number;
  /** The content type, with its character set. */
  readonly type: string;
  readonly body: string;
  /** More headers. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers a GET; a HEAD is answered the same, without the body. */
export type Route = (request: IncomingMessage) => Answer | Promise<Answer>;

export const text = (body: string, status = 200): Answer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body,
});
export const html = (body: string, headers: Answer['headers'] = {}): Answer => ({
  type: 'text/html; charset=utf-8',
  body,
  headers,
});
export const json = (value: unknown, status = 200): Answer => ({
  status,
  type: 'application/json',
  body: `${JSON.stringify(value)}\n`,
});

/**
 * Leads each request to the route of its path. A path has one route or none, so that this is all the router there
 * is: a library's would bring its own kind of request and answer, and 19 MB of resident memory with them.
 *
 * @param onError told what a route throws; the client gets a 500 that says no more.
 */
export function serveRoutes(
  routes: Readonly<Record<string, Route>>,
  onError: (error: unknown) => void,
): RequestListener {
  return (request, response) => {
    void answerTo(request, routes)
      .catch((error: unknown) => {
        onError(error);
        return text('Internal error\n', 500);
      })
      .then((answer) => send(answer, request, response));
  };
}

async function answerTo(request: IncomingMessage, routes: Readonly<Record<string, Route>>): Promise<Answer> {
  const [path = '/'] = (request.url ?? '/').split('?', 1);
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (route === undefined) return text('Not found\n', 404);
  if (request.method !== 'GET' && request.method !== 'HEAD') return text('Only GET and HEAD\n', 405);
  return await route(request);
}

function send(
  { status = 200, type, body, headers }: Answer,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const bytes = Buffer.from(body, 'utf8');
  response.writeHead(status, {
    'content-type': type,
    'content-length': bytes.length,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    ...headers,
    ...(status === 405 && { allow: 'GET, HEAD' }),
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}
