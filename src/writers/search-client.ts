/** One request of Elasticsearch's or OpenSearch's HTTP API. */
export interface SearchRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** Begins with `/`; encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  /** JSON, or with `ndjson` lines of it. */
  readonly body?: string | Buffer;
  readonly ndjson?: boolean;
  /** Milliseconds until it counts as failed. Default 30,000. */
  readonly timeoutMs?: number;
}

/** An answer with whatever status. */
export interface SearchAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/**
 * What is the same of both official clients, as far as it is used here: one request, and the bytes of its answer,
 * in which numbers and texts are still what the server wrote.
 */
export interface SearchClient {
  /** @throws where there is no answer, or the signal's reason. */
  send(request: SearchRequest, signal: AbortSignal): Promise<SearchAnswer>;
  close(): Promise<void>;
}

/** Which of the two products; their APIs part ways in few places. */
export type SearchProduct = 'elasticsearch' | 'opensearch';

export const REQUEST_MS = 30_000;

/** What may be renewed on disk while the agent runs. */
export interface SearchSecrets {
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly apiKey: string | undefined;
  /** Undefined where no file is named. */
  readonly tls: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer } | undefined;
}

/** All of a stream of bytes, or the signal's reason. */
export async function readAll(stream: AsyncIterable<Buffer | string>, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    signal.throwIfAborted();
    chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

/** Without versions of the API in them: what is asked for here is the same in all that are about. */
export function headersOf({ body, ndjson }: SearchRequest): Record<string, string> {
  const type = ndjson === true ? 'application/x-ndjson' : 'application/json';
  return { accept: 'application/json', ...(body !== undefined && { 'content-type': type }) };
}
