import { RetryAfterError } from './log-writer.ts';
import type { SearchAnswer, SearchProduct } from './search-client.ts';

/** A request that failed, said for people: what is wrong, and what to do. */
export class SearchFailure extends Error {
  override readonly name = 'SearchFailure';

  constructor(message: string) {
    super(message);
    // What is wrong is at the other end: a place in this code would only mislead.
    delete this.stack;
  }
}

/** What a server says of one error. */
export interface SearchProblem {
  readonly type?: string;
  readonly reason?: string;
  readonly caused_by?: SearchProblem;
}

/** The failure of a request that got no answer. */
export function noAnswer(product: SearchProduct, error: unknown): SearchFailure {
  const prefix = product.toUpperCase();
  const text = error instanceof Error ? error.message : String(error);
  if (/unable to verify|unable to get .*issuer|self[- ]signed/i.test(text))
    return new SearchFailure(
      `its certificate is not signed by an authority that is known: check ${prefix}_CA_FILE`,
    );
  if (/altname|does not match certificate/i.test(text))
    return new SearchFailure(`its certificate is for another name: ${text}`);
  if (/wrong version number|packet length too long/i.test(text))
    return new SearchFailure(`no TLS connection: is http:// meant in ${prefix}_SERVERS?`);
  if (/alert|certificate required/i.test(text))
    return new SearchFailure(
      `it refuses the agent's certificate: check ${prefix}_CERT_FILE and ${prefix}_KEY_FILE`,
    );
  if (/time.?out/i.test(text)) return new SearchFailure('no answer in time');
  const code = /\bE[A-Z]{4,}\b/.exec(text)?.[0];
  return new SearchFailure(`no connection (${code ?? text})`);
}

/** The failure of a whole request that was answered with 400 or above. */
export function refusal(product: SearchProduct, answer: SearchAnswer): Error {
  const prefix = product.toUpperCase();
  const said = problemOf(answer);
  const delayMs = retryAfterMs(answer.headers['retry-after'], Date.now());
  if (answer.status === 401)
    return new SearchFailure(
      `it refuses the user, the password or the API key (401): check ${prefix}_USERNAME and ${prefix}_PASSWORD, or ${prefix}_API_KEY`,
    );
  if (answer.status === 403) return new SearchFailure(`a privilege is missing: ${said}`);
  const text = answer.status === 429 ? `it has too much to do (429): ${said}` : `${said} (${answer.status})`;
  return delayMs === undefined ? new SearchFailure(text) : new RetryAfterError(text, delayMs);
}

/** Why a record of a bulk request is not stored, yet. */
export function refusedFor(problem: SearchProblem): string {
  const words = wordsOf(problem);
  return problem.type === 'security_exception' ? `a privilege is missing: ${words}` : words;
}

/** `type: reason`, and the deepest cause, at most 500 characters. */
export function wordsOf(problem: SearchProblem | string | undefined): string {
  if (problem === undefined) return 'it gives no reason';
  if (typeof problem === 'string') return problem.slice(0, 500);
  let cause = problem;
  while (cause.caused_by !== undefined) cause = cause.caused_by;
  const words = ({ type = 'error', reason }: SearchProblem): string => (reason ? `${type}: ${reason}` : type);
  const all = cause === problem ? words(problem) : `${words(problem)} (${words(cause)})`;
  return all.length > 500 ? `${all.slice(0, 499)}…` : all;
}

/** Milliseconds of a Retry-After header, which has seconds or a date; undefined where there is none. */
function retryAfterMs(header: unknown, now: number): number | undefined {
  if (typeof header !== 'string' || header === '') return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), 3_600_000);
}

/** What is wrong with the record itself, so that it can never be stored; all else passes or can be mended. */
const hopeless = new Set([
  'mapper_parsing_exception',
  'document_parsing_exception',
  'strict_dynamic_mapping_exception',
  'parsing_exception',
  'x_content_parse_exception',
  'not_x_content_exception',
  'json_parse_exception',
  'max_bytes_length_exceeded_exception',
]);

/** Whether an item of a bulk answer says that its record can never be stored as it is. */
export function isHopeless(status: number, { type = '', reason = '' }: SearchProblem): boolean {
  if (status !== 400) return false;
  if (hopeless.has(type)) return true;
  // Said of a document, and of an alias without a write index too, which can be mended.
  return type === 'illegal_argument_exception' && !/write index|alias|shards|data stream/i.test(reason);
}

function problemOf({ body }: SearchAnswer): string {
  const text = body.toString('utf8');
  try {
    const { error } = JSON.parse(text) as { error?: SearchProblem | string };
    return wordsOf(error);
  } catch {
    // A proxy's page, most likely.
    return (
      text
        .replaceAll(/<[^>]*>|\s+/g, ' ')
        .trim()
        .slice(0, 200) || 'it gives no reason'
    );
  }
}
