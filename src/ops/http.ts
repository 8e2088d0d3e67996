import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import type { Health, Verdict } from './health.ts';
import { homePage } from './home-page.ts';
import type { Metrics } from './metrics.ts';

export interface HttpOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly health: Health;
  readonly metrics: Metrics;
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
 * Serves /metrics, /healthz, /readyz and a page that leads to them.
 *
 * @throws where the port cannot be had.
 */
export async function serveHttp({ port, health, metrics }: HttpOptions): Promise<HttpServer> {
  const app = new Hono();
  app.get('/', (context) => context.html(homePage));
  app.get('/healthz', (context) => answer(context, health.live()));
  app.get('/readyz', (context) => answer(context, health.ready()));
  app.get('/metrics', async (context) =>
    context.body(await metrics.scrape(), 200, { 'content-type': metrics.registry.contentType }),
  );

  const server = createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false }) as Server;
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
function answer(context: Context, { ok, reasons }: Verdict): Response {
  const status = ok ? 200 : 503;
  if (context.req.header('accept')?.includes('application/json') === true) {
    return context.json({ ok, reasons }, status);
  }
  const text = ok ? 'ok\n' : reasons.map(({ part, reason }) => `${part}: ${reason}\n`).join('');
  return context.text(text, status);
}
