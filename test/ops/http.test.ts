import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Health } from '../../src/ops/health.ts';
import { type HttpServer, serveHttp } from '../../src/ops/http.ts';
import { createMetrics } from '../../src/ops/metrics.ts';
import { aStatus } from '../support/statuses.ts';
import { until } from '../support/until.ts';

let health: Health;
let server: HttpServer;
let url: string;

const status = async () => aStatus();
const said: unknown[] = [];
const repeated = { problem: (...words: unknown[]) => void said.push(words) };

beforeEach(async () => {
  health = new Health();
  said.length = 0;
  server = await serveHttp({ port: 0, health, metrics: createMetrics(), status, repeated });
  url = `http://127.0.0.1:${server.port}`;
});
afterEach(async () => await server.close());

describe('the HTTP server', () => {
  it('serves the metrics as Prometheus reads them', async () => {
    const response = await fetch(`${url}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(await response.text()).toMatch(/^# HELP frostbeat_pods /m);
  });

  it('answers 503 with the reasons while not ready, in text or JSON, and 200 then', async () => {
    let missing: string | undefined = 'etcd is not reachable';
    health.needs('writer etcd', () => missing);
    const text = await fetch(`${url}/readyz`);
    expect([text.status, await text.text()]).toEqual([503, 'writer etcd: etcd is not reachable\n']);
    const json = await fetch(`${url}/readyz`, { headers: { accept: 'application/json' } });
    expect([json.status, await json.json()]).toEqual([
      503,
      { ok: false, reasons: [{ part: 'writer etcd', reason: 'etcd is not reachable' }] },
    ]);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    missing = undefined;
    const ready = await fetch(`${url}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([200, 'ok\n']);
  });

  it('leads to what it serves from its first page, and knows nothing else', async () => {
    const page = await (await fetch(url)).text();
    const links = [...page.matchAll(/href="([^"?#]+)"/g)].map(([, link]) => link);
    expect(links).toEqual(['data:,', 'metrics', 'status.json', 'readyz', 'healthz']);
    for (const link of links.slice(1)) expect((await fetch(`${url}/${link}`)).status).toBe(200);
    expect(await (await fetch(`${url}/status.json`)).json()).toEqual(aStatus());
    expect((await fetch(`${url}/other`)).status).toBe(404);
    expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405);
  });

  it('answers 500 and tells the log where a page cannot be made', async () => {
    health.needs('broken', () => {
      throw new Error('a bug');
    });
    const response = await fetch(`${url}/readyz`);
    expect([response.status, await response.text()]).toEqual([500, 'Internal error\n']);
    expect(said).toMatchObject([
      ['page', expect.stringContaining('bug'), { err: { message: 'a bug' } }, 'error'],
    ]);
  });

  it('says which port is taken, and what to do', async () => {
    await expect(
      serveHttp({ port: server.port, health, metrics: createMetrics(), status, repeated }),
    ).rejects.toThrow(
      `Cannot serve HTTP on port ${server.port}: it is in use by another process; HTTP_PORT chooses another`,
    );
  });

  it('closes with connections open', async () => {
    const other = await serveHttp({ port: 0, health, metrics: createMetrics(), status, repeated });
    const socket = connect(other.port, '127.0.0.1');
    const { promise: connected, resolve } = Promise.withResolvers<void>();
    socket.once('connect', resolve).on('error', () => undefined);
    await connected;
    socket.write('GET /metr');
    const ended = until(() => socket.destroyed, { what: 'the end of the connection' });
    await other.close();
    expect(await ended).toBe(true);
  });
});
