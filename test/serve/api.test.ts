import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Access } from '../../src/serve/guard.ts';
import type { Limits } from '../../src/serve/limits.ts';
import { serveTraces, type TraceServer } from '../../src/serve/serve-traces.ts';
import { FileTraceReader } from '../../src/trace/file-trace-reader.ts';
import type { ReadOptions, TraceReader } from '../../src/trace/trace-reader.ts';
import type { TraceState } from '../../src/trace/trace-state.ts';
import { nodeReport, tellFile } from '../support/node-reports.ts';
import { until } from '../support/until.ts';

const silent = { warn: () => undefined, error: () => undefined };
const evil = '../<script>%2f\u001b';

interface Page {
  readonly records: readonly {
    readonly unixNano: string;
    readonly record?: { n: number };
    readonly text?: string;
  }[];
  readonly next: string | null;
  readonly mark: string;
}

describe('the HTTP API', () => {
  let directory: string;
  let path: string;
  let servers: TraceServer[];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'frostbeat-test-'));
    path = join(directory, 'records.ndjson');
    servers = [];
    await writeFile(path, `${lines('t', 25)}${lines(evil, 1)}`);
  });
  afterEach(async () => {
    await Promise.all(servers.map((server) => server.close()));
    await rm(directory, { recursive: true, force: true });
  });

  it('gives a trace in pages that make up the whole, though lines come meanwhile', async () => {
    const base = await serve();
    const seen: number[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '' : `&cursor=${cursor}`;
      const page = (await (await fetch(`${base}/api/traces/t?limit=10${query}`)).json()) as Page;
      seen.push(...page.records.map(({ record }) => record!.n));
      cursor = page.next;
      await writeFile(path, lines('t', 2), { flag: 'a' });
    } while (cursor !== null);
    expect(seen).toEqual(Array.from({ length: 25 }, (_, n) => n));
  });

  it('lists the recent traces, and takes any trace ID', async () => {
    const base = await serve();
    const { traces } = (await (await fetch(`${base}/api/traces?limit=1`)).json()) as {
      traces: { traceId: string; lines: number }[];
    };
    expect(traces).toHaveLength(1);
    const page = (await (await fetch(`${base}/api/traces/${encodeURIComponent(evil)}`)).json()) as Page;
    expect(page.records).toHaveLength(1);
    const none = (await (await fetch(`${base}/api/traces/nobody`)).json()) as Page;
    expect(none).toMatchObject({ records: [], next: null });
  });

  it('streams a whole trace as NDJSON', async () => {
    const base = await serve();
    const response = await fetch(`${base}/api/traces/t`, { headers: { accept: 'application/x-ndjson' } });
    const found = (await response.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { record: { n: number } });
    expect(found.map(({ record }) => record.n)).toEqual(Array.from({ length: 25 }, (_, n) => n));
  });

  it('follows a trace by events from the mark of a page on, and goes on from the last event', async () => {
    const base = await serve();
    const { mark } = (await (await fetch(`${base}/api/traces/t`)).json()) as Page;
    await writeFile(path, lines('t', 1, 100), { flag: 'a' });
    const first = await events(`${base}/api/traces/t?mark=${mark}`, {}, '"n":100');
    const id = /^id: (\S+)\nevent: lines/m.exec(first)?.[1];
    await writeFile(path, lines('t', 1, 101), { flag: 'a' });
    const second = await events(`${base}/api/traces/t`, { 'last-event-id': id! }, '"n":101');
    expect(second).not.toContain('"n":100');
  });

  it('tells with the first page, and as events, whether all of the trace is there', async () => {
    await tellFile(path, nodeReport('n1', { watermark: '2023-11-14T22:13:21Z' }));
    const base = await serve({ limits: { stateMs: 10 } });
    const first = (await (await fetch(`${base}/api/traces/t?limit=10`)).json()) as Page & {
      state: TraceState;
    };
    // Of the whole trace, though this is a part of it.
    expect(first.state).toMatchObject({ state: 'open', nodes: ['n1'], watermark: '2023-11-14T22:13:21Z' });
    expect(first.state.reason).toContain('n1 is not past 2023-11-14T22:13:49.000Z yet');
    const second = (await (await fetch(`${base}/api/traces/t?cursor=${first.next}`)).json()) as object;
    expect(second).not.toHaveProperty('state');
    const seen = events(`${base}/api/traces/t?mark=${first.mark}`, {}, '"complete"');
    await until(
      async () => {
        await tellFile(path, nodeReport('n1'));
        return true;
      },
      { what: 'the report' },
    );
    expect(await seen).toMatch(/event: state\ndata: \{"state":"complete"/);
    expect(await (await fetch(`${base}/api/traces/nobody`)).json()).not.toHaveProperty('state');
    const { traces } = (await (await fetch(`${base}/api/traces`)).json()) as { traces: { state: string }[] };
    expect(traces.map(({ state }) => state)).toEqual(['complete', 'complete']);
  });

  it('does not call a trace complete while a node behind its first page tells nothing', async () => {
    const kubernetes = { namespace: 'shop', pod: 'cart-1', container: 'main', node: 'n2' };
    const log = JSON.stringify({ n: 25, kubernetes });
    await writeFile(path, `{"timestamp":1700000100000000000,"traceId":"t","log":${log}}\n`, { flag: 'a' });
    await tellFile(path, nodeReport('n1'));
    const base = await serve({ limits: { stateMs: 10 } });
    expect(await stateOn(base)).toMatchObject({ state: 'unknown', nodes: ['n2'] });
    expect(await events(`${base}/api/traces/t`, {}, 'event: state')).toContain('"state":"unknown"');
    expect(await stateOn(await serve({ limits: { stateRecords: 25 } }))).toMatchObject({
      state: 'complete',
      reason: expect.stringContaining(
        '; of which nodes its lines are was looked at in the first 25',
      ) as string,
    });
  });

  it('gives the page of a trace of which there is no time to look at all', async () => {
    await tellFile(path, nodeReport('n1'));
    class Slow extends FileTraceReader {
      override async *read(traceId: string, signal: AbortSignal, options: ReadOptions = {}) {
        let n = 0;
        for await (const record of super.read(traceId, signal, options)) {
          // Behind the first page.
          if (n++ > 10) await sleep(60_000, undefined, { signal });
          yield record;
        }
      }
    }
    const limits = { stateRecordsMs: 20 };
    expect(await stateOn(await serve({ reader: new Slow(path), limits }))).toMatchObject({
      state: 'complete',
      reason: expect.stringContaining('was looked at in the first 11') as string,
    });
  });

  it('tells how far each node is', async () => {
    await tellFile(path, nodeReport('n1'));
    await writeFile(`${path}.nodes/n2.json`, '{"version":2}');
    const { nodes } = (await (await fetch(`${await serve()}/api/nodes`)).json()) as { nodes: object[] };
    expect(nodes).toMatchObject([
      { node: 'n1', live: true, report: { containers: 3, gaps: [] } },
      { node: 'n2', live: false, report: null },
    ]);
  });

  it('closes a page by bytes, gives what is no JSON as text, and lets no more in than it can take', async () => {
    const base = await serve({ limits: { pageBytes: 100, streamsAtOnce: 1 } });
    await writeFile(path, '{"timestamp":5,"traceId":"b","log":{"broken}\n', { flag: 'a' });
    const page = (await (await fetch(`${base}/api/traces/t`)).json()) as Page;
    expect(page.records.length).toBeLessThan(5);
    expect(page.next).not.toBeNull();
    expect(await (await fetch(`${base}/api/traces/b`)).json()).toMatchObject({
      records: [{ text: '{"broken' }],
    });
    const headers = { accept: 'text/event-stream' };
    const stop = new AbortController();
    await fetch(`${base}/api/traces/t`, { headers, signal: stop.signal });
    const second = await fetch(`${base}/api/traces/t`, { headers });
    expect([second.status, second.headers.get('retry-after')]).toEqual([503, '1']);
    stop.abort();
    await until(async () => (await fetch(`${base}/api/traces/t`, { headers })).status === 200, {
      what: 'room',
    });
  });

  it.each([
    ['/api/traces?limit=0', 400],
    ['/api/traces?limti=5', 400],
    ['/api/traces/t?limit=1001', 400],
    ['/api/traces/t?cursor=x', 400],
    ['/api/traces/t?since=yesterday', 400],
    ['/api/traces/%E0%A4%A', 400],
    ['/api/nodes?x=1', 400],
    ['/api/nothing', 404],
    ['/../package.json', 404],
    ['/serve/page/%2e%2e/%2e%2e/main.js', 404],
  ])('answers %s with %i', async (address, status) => {
    const response = await fetch((await serve()) + address);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
  });

  it('changes nothing: other methods are refused', async () => {
    expect((await fetch(`${await serve()}/api/traces/t`, { method: 'DELETE' })).status).toBe(405);
  });

  it('answers to nobody without the password, but for its health', async () => {
    const base = await serve({
      access: { onlyLocal: false, basic: { username: 'ops', password: 'grün:x' } },
    });
    expect((await fetch(`${base}/`)).headers.get('www-authenticate')).toMatch(/^Basic/);
    expect((await fetch(`${base}/api/traces`, authorization('ops:wrong'))).status).toBe(401);
    expect((await fetch(`${base}/api/traces`, authorization('ops:grün:x'))).status).toBe(200);
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
  });

  it('asks a proxy for the user, and leaves other sites and other names of this machine out', async () => {
    const proxied = await serve({ access: { onlyLocal: false, userHeader: 'x-forwarded-user' } });
    expect((await fetch(`${proxied}/api/traces`)).status).toBe(403);
    const headers = { 'x-forwarded-user': 'ada' };
    expect((await fetch(`${proxied}/api/traces`, { headers })).status).toBe(200);
    const base = await serve();
    expect(await statusOf(base, { host: 'evil.example:80' })).toBe(421);
    expect(await statusOf(base, { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' })).toBe(403);
  });

  it('says that the store cannot be read, and that it takes too long', async () => {
    await rm(path);
    const response = await fetch(`${await serve()}/api/traces/t`);
    expect([response.status, await response.text()]).toEqual([502, expect.stringContaining('no such file')]);
    const slow: TraceReader = Object.assign(new FileTraceReader(path), {
      now: (signal: AbortSignal) =>
        new Promise<string>((_, reject) => signal.addEventListener('abort', () => reject(new Error('late')))),
    });
    expect(
      (await fetch(`${await serve({ reader: slow, limits: { pageMs: 50 } })}/api/traces/t`)).status,
    ).toBe(504);
  });

  async function serve(
    options: { access?: Access; limits?: Partial<Limits>; reader?: TraceReader } = {},
  ): Promise<string> {
    const server = await serveTraces({
      reader: new FileTraceReader(path, { livesOn: true }),
      host: '127.0.0.1',
      port: 0,
      access: { onlyLocal: true },
      graceMs: 5_000,
      log: silent,
      ...options,
    });
    servers.push(server);
    return `http://127.0.0.1:${server.port}`;
  }
});

const authorization = (text: string) => ({
  headers: { authorization: `Basic ${Buffer.from(text).toString('base64')}` },
});

/** The events up to the one that holds a text. */
async function events(url: string, headers: Record<string, string>, wanted: string): Promise<string> {
  const stop = new AbortController();
  const response = await fetch(url, {
    headers: { accept: 'text/event-stream', ...headers },
    signal: stop.signal,
  });
  let seen = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    seen += chunk;
    if (seen.includes(wanted)) break;
  }
  stop.abort();
  return seen;
}

/** By node:http: `fetch` sets these headers itself. */
async function statusOf(base: string, headers: Record<string, string>): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  request(`${base}/api/traces`, { headers }, (response) => resolve(response.resume().statusCode))
    .on('error', reject)
    .end();
  return promise;
}

async function stateOn(base: string): Promise<TraceState> {
  return ((await (await fetch(`${base}/api/traces/t?limit=10`)).json()) as { state: TraceState }).state;
}

function lines(traceId: string, count: number, from = 0): string {
  return Array.from(
    { length: count },
    (_, n) =>
      `{"timestamp":${1_700_000_000 + from + n}000000000,"traceId":${JSON.stringify(traceId)},"log":{"n":${from + n}}}\n`,
  ).join('');
}
