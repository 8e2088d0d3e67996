import type { IncomingMessage, ServerResponse } from 'node:http';
import { severity, levels } from '../trace/levels.ts';
import { summaryState } from '../trace/judge-trace.ts';
import type { TraceReader } from '../trace/trace-reader.ts';
import type { TraceState } from '../trace/trace-state.ts';
import type { TraceSummary } from '../trace/trace-summary.ts';
import { isMark, parseCursor } from './cursor.ts';
import { Gate, type Limits } from './limits.ts';
import { Problem } from './problem.ts';
import { SharedNodes } from './shared-nodes.ts';
import { sendEvents, sendNdjson } from './send-stream.ts';
import { tracePage } from './trace-page.ts';

const MOST_TRACES = 200;

/** A trace in the list, with its state where that is known. */
type Listed = TraceSummary & { readonly state?: TraceState['state'] };

/** A list of the newest traces that serves all who ask for no more, for a while. */
interface Recent {
  readonly count: number;
  readonly until: number;
  readonly list: Promise<{ traces: Listed[]; note?: string }>;
}

/** The API: `/api/traces`, `/api/traces/<id>` and `/api/nodes` (docs/api.md). */
export class Api {
  readonly #reader: TraceReader;
  readonly #limits: Limits;
  readonly #graceMs: number;
  readonly #pages: Gate;
  readonly #streams: Gate;
  #recent: Recent | undefined;

  constructor(reader: TraceReader, { limits, graceMs }: { limits: Limits; graceMs: number }) {
    this.#reader = new SharedNodes(reader, limits.stateMs);
    this.#limits = limits;
    this.#graceMs = graceMs;
    this.#pages = new Gate('pages', limits.pagesAtOnce);
    this.#streams = new Gate('streams', limits.streamsAtOnce);
  }

  /**
   * @param url what is asked for; its path begins with `/api/`.
   * @param signal aborts when the client goes or the server stops.
   * @throws Problem, or what the reader throws.
   */
  async answer(
    url: URL,
    request: IncomingMessage,
    response: ServerResponse,
    signal: AbortSignal,
  ): Promise<void> {
    if (url.pathname === '/api/traces') {
      sendJson(response, await this.#recentTraces(url.searchParams, signal));
      return;
    }
    if (url.pathname === '/api/nodes') {
      known(url.searchParams, []);
      const { nodes, ...rest } = await this.#reader.nodes(signal);
      const told = nodes.map(({ report, ...node }) => ({ ...node, report: report ?? null }));
      sendJson(response, `${JSON.stringify({ nodes: told, ...rest })}\n`);
      return;
    }
    const encoded = /^\/api\/traces\/([^/]+)$/.exec(url.pathname)?.[1];
    if (encoded === undefined)
      throw new Problem(404, 'There is /api/traces, /api/traces/<id> and /api/nodes');
    await this.#trace(decoded(encoded), url.searchParams, { request, response, signal });
  }

  async #recentTraces(query: URLSearchParams, signal: AbortSignal): Promise<string> {
    known(query, ['limit', 'level']);
    const limit = wholeNumber(query, 'limit', { most: MOST_TRACES, otherwise: 50 });
    const level = query.get('level')?.toUpperCase();
    if (level !== undefined && severity(level) < 0) {
      throw new Problem(400, `level must be one of ${levels.join(', ').toLowerCase()}`);
    }
    // Those of a level are found among more.
    const { traces, note } = await this.#newest(level === undefined ? limit : MOST_TRACES, signal);
    const wanted = traces.filter((one) => level === undefined || severity(one.level) >= severity(level));
    return `${JSON.stringify({ traces: wanted.slice(0, limit), ...(note !== undefined && { note }) })}\n`;
  }

  /** One look serves all who ask at that time; the first to go does not take it from the others. */
  async #newest(count: number, signal: AbortSignal): Promise<{ traces: Listed[]; note?: string }> {
    const now = performance.now();
    if (this.#recent === undefined || now >= this.#recent.until || this.#recent.count < count) {
      const list = this.#pages.pass(() => this.#list(count, AbortSignal.timeout(this.#limits.pageMs)));
      this.#recent = { count, until: Number.POSITIVE_INFINITY, list };
      const settle = (recent: Recent | undefined): void => {
        // A longer one may have taken its place.
        if (this.#recent?.list === list) this.#recent = recent;
      };
      list.then(
        () => settle({ count, list, until: performance.now() + this.#limits.recentMs }),
        () => settle(undefined),
      );
    }
    const { list } = this.#recent;
    signal.throwIfAborted();
    return list;
  }

  async #list(count: number, signal: AbortSignal): Promise<{ traces: Listed[]; note?: string }> {
    const nodes = await this.#reader.nodes(signal);
    const { traces, ...rest } = await this.#reader.recent(count, signal);
    const judging = { nowMs: Date.now(), graceMs: this.#graceMs };
    const listed = traces.map((trace): Listed => {
      const state = summaryState(trace, nodes, judging);
      return { ...trace, ...(state !== undefined && { state }) };
    });
    return { traces: listed, ...rest };
  }

  async #trace(
    traceId: string,
    query: URLSearchParams,
    {
      request,
      response,
      signal,
    }: { request: IncomingMessage; response: ServerResponse; signal: AbortSignal },
  ): Promise<void> {
    const accept = request.headers.accept ?? '';
    const limits = this.#limits;
    if (accept.includes('text/event-stream')) {
      known(query, ['mark']);
      await this.#streams.pass(async () => {
        const mark =
          request.headers['last-event-id'] ?? query.get('mark') ?? (await this.#reader.now(signal));
        if (!isMark(mark)) throw new Problem(400, 'mark must be that of an answer');
        response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
        await sendEvents(this.#reader, { traceId, mark, graceMs: this.#graceMs }, response, {
          limits,
          signal,
        });
      });
    } else if (accept.includes('application/x-ndjson')) {
      known(query, ['since', 'until']);
      await this.#streams.pass(async () => {
        const options = { ...times(query), at: await this.#reader.now(signal) };
        response.writeHead(200, { 'content-type': 'application/x-ndjson; charset=utf-8' });
        await sendNdjson(this.#reader, { traceId, options }, response, { limits, signal });
      });
    } else {
      known(query, ['limit', 'cursor', 'since', 'until']);
      const text = query.get('cursor');
      const cursor = text === null ? undefined : parseCursor(text);
      if (text !== null && cursor === undefined)
        throw new Problem(400, 'cursor must be the «next» of an answer');
      const most = { most: limits.pageRecords, otherwise: limits.defaultPageRecords };
      const limit = wholeNumber(query, 'limit', most);
      const wanted = { traceId, limit, graceMs: this.#graceMs, ...times(query), ...cursor };
      sendJson(response, await this.#pages.pass(() => tracePage(this.#reader, wanted, limits, signal)));
    }
  }
}

function sendJson(response: ServerResponse, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length });
  response.end(bytes);
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new Problem(400, 'The trace ID must be percent-encoded UTF-8');
  }
}

/** A parameter that is misspelt must not be taken for one that is not given. */
function known(query: URLSearchParams, names: readonly string[]): void {
  const other = [...query.keys()].find((name) => !names.includes(name));
  if (other !== undefined) throw new Problem(400, `The parameters here are ${names.join(', ')}`);
}

function wholeNumber(
  query: URLSearchParams,
  name: string,
  { most, otherwise }: { most: number; otherwise: number },
): number {
  const text = query.get(name);
  if (text === null) return otherwise;
  const value = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > most) throw new Problem(400, `${name} must be a whole number from 1 to ${most}`);
  return value;
}

function times(query: URLSearchParams): { since?: string; until?: string } {
  const time = (name: string): string | undefined => {
    const text = query.get(name) ?? undefined;
    if (text !== undefined && !/^\d{1,25}$/.test(text)) {
      throw new Problem(400, `${name} must be a time in nanoseconds since 1970, as digits`);
    }
    return text;
  };
  const [since, until] = [time('since'), time('until')];
  return { ...(since !== undefined && { since }), ...(until !== undefined && { until }) };
}
