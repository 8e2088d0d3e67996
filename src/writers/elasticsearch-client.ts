import { Client } from '@elastic/elasticsearch';
import {
  headersOf,
  readAll,
  REQUEST_MS,
  type SearchAnswer,
  type SearchClient,
  type SearchRequest,
  type SearchSecrets,
} from './search-client.ts';

/** The official client of Elasticsearch, of version 8, which servers of 8 and 9 understand; retries are the delivery's. */
export class ElasticsearchClient implements SearchClient {
  readonly #client: Client;

  constructor(servers: readonly string[], { username, password, apiKey, tls }: SearchSecrets) {
    const auth =
      apiKey !== undefined ? { apiKey } : username !== undefined && { username, password: password ?? '' };
    this.#client = new Client({
      nodes: [...servers],
      maxRetries: 0,
      requestTimeout: REQUEST_MS,
      // To hide secrets an error would be given a copy of the request in which each byte of the body is a member of an
      // object: hundreds of megabytes in an outage. Of an error only the message is used.
      redaction: { type: 'off' },
      ...(auth && { auth }),
      ...(tls && { tls }),
    });
  }

  async send(request: SearchRequest, signal: AbortSignal): Promise<SearchAnswer> {
    signal.throwIfAborted();
    const { method, path, query, body, ndjson, timeoutMs = REQUEST_MS } = request;
    try {
      const {
        statusCode,
        headers,
        body: stream,
      } = await this.#client.transport.request(
        {
          method,
          path,
          ...(query && { querystring: { ...query } }),
          ...(body !== undefined && (ndjson ? { bulkBody: body as string } : { body: body as string })),
        },
        {
          asStream: true,
          meta: true,
          maxRetries: 0,
          requestTimeout: timeoutMs,
          headers: headersOf(request),
          signal,
        },
      );
      const bytes = await readAll(stream as AsyncIterable<Buffer>, signal);
      return { status: statusCode, headers, body: bytes };
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    }
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}
