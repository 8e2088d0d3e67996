import type { TraceState } from '../../trace/trace-state.ts';
import type { TraceSummary } from '../../trace/trace-summary.ts';
import { type ApiRecord, type Line, toLine } from './line.ts';

export interface Page {
  readonly records: readonly ApiRecord[];
  readonly next: string | null;
  readonly mark: string;
  readonly state?: TraceState;
}

/** @throws Error with the server's words. */
async function get<T>(path: string, signal: AbortSignal): Promise<T> {
  const response = await fetch(path, { headers: { accept: 'application/json' }, signal });
  if (!response.ok)
    throw new Error((await response.text()).trim() || `the server answers ${response.status}`);
  return (await response.json()) as T;
}

/** A trace in the list, with its state where that is known. */
export type ListedTrace = TraceSummary & { readonly state?: TraceState['state'] };

/** What an agent tells of its node, as far as the page shows it; null where the server cannot read it. */
export interface ApiNode {
  readonly node: string;
  readonly live: boolean;
  readonly report: {
    readonly agent: string;
    readonly watermark: string | null;
    readonly containers: number;
    readonly stopped: boolean;
    readonly forgotten?: string;
    readonly gaps: readonly unknown[];
    readonly gapsLeftOut: number;
  } | null;
}

export function nodesOf(signal: AbortSignal): Promise<{ nodes: readonly ApiNode[] }> {
  return get('api/nodes', signal);
}

export function recentTraces(signal: AbortSignal): Promise<{ traces: ListedTrace[]; note?: string }> {
  return get('api/traces?limit=100', signal);
}

/** The next page of a trace. */
export function tracePage(traceId: string, cursor: string | null, signal: AbortSignal): Promise<Page> {
  const query = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
  return get(`api/traces/${encodeURIComponent(traceId)}?limit=1000${query}`, signal);
}

export interface Follower {
  readonly onLines: (lines: Line[]) => void;
  readonly onState: (state: TraceState) => void;
  readonly onLive: (live: boolean) => void;
}

/** Follows a trace from a mark on, until the signal aborts; the browser connects again by itself. */
export function followTrace(traceId: string, mark: string, follower: Follower, signal: AbortSignal): void {
  const path = `api/traces/${encodeURIComponent(traceId)}?mark=${encodeURIComponent(mark)}`;
  const source = new EventSource(path);
  source.addEventListener('open', () => follower.onLive(true));
  source.addEventListener('error', () => follower.onLive(false));
  source.addEventListener('lines', ({ data }: MessageEvent<string>) => {
    follower.onLines((JSON.parse(data) as ApiRecord[]).map(toLine));
  });
  source.addEventListener('state', ({ data }: MessageEvent<string>) => {
    follower.onState(JSON.parse(data) as TraceState);
  });
  signal.addEventListener('abort', () => source.close(), { once: true });
}
