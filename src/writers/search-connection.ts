import type { SearchAccess } from '../config/config.ts';
import { makeSearchClient } from './make-search-client.ts';
import type { SearchAnswer, SearchClient, SearchProduct, SearchRequest } from './search-client.ts';
import { noAnswer, refusal } from './search-errors.ts';

const CHECK_MS = 5_000;

/**
 * The way to a server: what goes wrong is said for people. After a refusal of who we are, or a failure of TLS, the
 * next request reads secrets and certificates anew, so that what was renewed on disk is picked up.
 */
export class SearchConnection {
  readonly product: SearchProduct;
  readonly #access: SearchAccess;
  #client: Promise<SearchClient> | undefined;

  constructor(product: SearchProduct, access: SearchAccess) {
    this.product = product;
    this.#access = access;
  }

  /** For messages: `opensearch (http://…)`. */
  get name(): string {
    return `${this.product} (${this.#access.servers.join(', ')})`;
  }

  /**
   * @param allowed statuses of 400 and above that the caller knows what to do with.
   * @throws SearchFailure, RetryAfterError where the server says when, or the signal's reason.
   */
  async send(
    request: SearchRequest,
    signal: AbortSignal,
    allowed: readonly number[] = [],
  ): Promise<SearchAnswer> {
    this.#client ??= makeSearchClient(this.product, this.#access);
    const used = this.#client;
    let answer: SearchAnswer;
    try {
      answer = await (await used).send(request, signal);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      this.#renew(used);
      throw noAnswer(this.product, error);
    }
    if (answer.status < 400 || allowed.includes(answer.status)) return answer;
    if (answer.status === 401) this.#renew(used);
    throw refusal(this.product, answer);
  }

  /** Whether it answers, and knows us; it may well not let us see this. */
  async check(signal: AbortSignal): Promise<void> {
    await this.send({ method: 'GET', path: '/', timeoutMs: CHECK_MS }, signal, [403, 404, 405]);
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.then(
      (made) => made.close(),
      () => undefined,
    );
  }

  #renew(used: Promise<SearchClient>): void {
    if (this.#client !== used) return;
    this.#client = undefined;
    void used.then((made) => made.close()).catch(() => undefined);
  }
}
