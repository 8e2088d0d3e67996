import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { http } from '../util/node-http.ts';
import type { Health, Verdict } from './health.ts';
import type { Metrics } from './metrics.ts';
import type { Repeated } from './repeated.ts';
import type { Status } from './status.ts';
import { type Answer, json, type Route, serveRoutes, text } from './routes.ts';

export interface HttpOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly health: Health;
  readonly metrics: Metrics;
  /** What the agent is doing; asked for only when somebody looks. */
  readonly status: () => Promise<Status>;
  /** Told of faults of ours. */
  readonly repeated: Pick<Repeated, 'problem'>;
}

export interface HttpServer {
  /** The port it listens on. */
  readonly port: number;
  /** Ends connections that are open, too. */
  close(): Promise<void>;
}

/** Far more than Prometheus, the kubelet and a few people need. */
const mostConnections = 128;

/**
 * Serves /metrics, /healthz, /readyz, /status.json and the status page.
 *
 * @throws where the port cannot be had.
 */
export async function serveHttp({
  port,
  health,
  metrics,
  status,
  repeated,
}: HttpOptions): Promise<HttpServer> {
  const routes: Record<string, Route> = {
    '/': async ({ url }) => {
      // Loaded when somebody first looks: most agents are never looked at.
      const { statusPage } = await import('./page/status-page.ts');
      return statusPage(await status(), new URL(url ?? '/', 'http://agent').searchParams);
    },
    '/status.json': async () => json(await status()),
    '/healthz': (request) => verdict(request, health.live()),
    '/readyz': (request) => verdict(request, health.ready()),
    '/metrics': async () => ({ type: metrics.registry.contentType, body: await metrics.scrape() }),
  };
  const server = http.createServer(
    serveRoutes(routes, (err) =>
      repeated.problem('page', 'A page cannot be served, which is a bug.', { err }, 'error'),
    ),
  );
  server.maxConnections = mostConnections;
  await listen(server, port);
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      server.closeAllConnections();
      await promise;
    },
  };
}

async function listen(server: Server, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, resolve);
  try {
    await promise;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const why =
      code === 'EADDRINUSE'
        ? 'it is in use by another process'
        : code === 'EACCES'
          ? 'this user may not have it'
          : String(error);
    throw new Error(
      `Cannot serve HTTP on port ${port}: ${why}; HTTP_PORT chooses another, and 0 switches it off`,
      { cause: error },
    );
  } finally {
    server.removeListener('error', reject);
  }
}

/** A line for each reason, or JSON for who asks for it; 503 where it is not ok. */
function verdict({ headers }: IncomingMessage, { ok, reasons }: Verdict): Answer {
  const status = ok ? 200 : 503;
  if (headers.accept?.includes('application/json') === true) return json({ ok, reasons }, status);
  return text(ok ? 'ok\n' : reasons.map(({ part, reason }) => `${part}: ${reason}\n`).join(''), status);
}
