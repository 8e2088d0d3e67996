import { Client } from '@opensearch-project/opensearch';
import {
  headersOf,
  readAll,
  REQUEST_MS,
  type SearchAnswer,
  type SearchClient,
  type SearchRequest,
  type SearchSecrets,
} from './search-client.ts';

/** The official client of OpenSearch; retries are the delivery's. */
export class OpenSearchClient implements SearchClient {
  readonly #client: Client;

  constructor(servers: readonly string[], { username, password, apiKey, tls }: SearchSecrets) {
    this.#client = new Client({
      nodes: [...servers],
      maxRetries: 0,
      requestTimeout: REQUEST_MS,
      ...(username !== undefined && { auth: { username, password: password ?? '' } }),
      // The server itself knows none; what stands in front of it may, and its own tokens look the same.
      ...(apiKey !== undefined && { headers: { authorization: `ApiKey ${apiKey}` } }),
      ...(tls && { ssl: tls }),
    });
  }

  async send(request: SearchRequest, signal: AbortSignal): Promise<SearchAnswer> {
    signal.throwIfAborted();
    const { method, path, query, body, ndjson, timeoutMs = REQUEST_MS } = request;
    const begun = this.#client.transport.request(
      {
        method,
        path,
        ...(query && { querystring: { ...query } }),
        ...(body !== undefined && (ndjson ? { bulkBody: body as string } : { body: body as string })),
      },
      { asStream: true, maxRetries: 0, requestTimeout: timeoutMs, headers: headersOf(request) },
    );
    const abort = (): void => {
      begun.abort();
    };
    signal.addEventListener('abort', abort, { once: true });
    try {
      const { statusCode, headers, body: stream } = await begun;
      const bytes = await readAll(stream, signal);
      return { status: statusCode ?? 0, headers: headers as SearchAnswer['headers'], body: bytes };
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}
