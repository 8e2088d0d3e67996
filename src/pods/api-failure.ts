import { ApiError, ApiTimeoutError } from './api-request.ts';

export type FailureReason =
  'forbidden' | 'unauthorized' | 'expired' | 'throttled' | 'timeout' | 'refused' | 'server' | 'network';

/** What kind of failure it is, for the metric. */
export function failureReason(error: unknown): FailureReason {
  if (error instanceof ApiTimeoutError) return 'timeout';
  if (!(error instanceof ApiError)) return 'network';
  if (isExpired(error)) return 'expired';
  if (error.status === 401) return 'unauthorized';
  if (error.status === 403) return 'forbidden';
  if (error.status === 429) return 'throttled';
  return error.status >= 500 ? 'server' : 'refused';
}

/**
 * The resource version is not in the server's history: too old, or too new after etcd was restored from a
 * backup. Only a list without a version helps.
 */
export function isExpired(error: unknown): boolean {
  return (
    error instanceof ApiError &&
    (error.status === 410 ||
      error.reason === 'Expired' ||
      error.message.includes('Too large resource version'))
  );
}

/** A refusal that lasts until somebody changes something. */
export function isDenied(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 401 || error.status === 403);
}

/**
 * What went wrong, and what to do where that is known, for the log and /readyz. It is the same text each time
 * the same thing goes wrong.
 *
 * @param where such as `in namespace demo-system`.
 */
export function explainFailure(
  error: unknown,
  verb: 'list' | 'watch',
  where: string,
  server: string,
): string {
  const cannot = `Cannot ${verb} pods ${where}`;
  if (!(error instanceof ApiError)) return `${cannot}: ${networkText(error)} (${server})`;
  if (error.status === 401) {
    return `${cannot}: the API does not accept the credentials (401 ${error.message}); check the token or kubeconfig`;
  }
  if (error.status === 403) {
    const [, namespace, account] = /system:serviceaccount:([^:"]+):([^:"]+)/.exec(error.message) ?? [];
    const who = account === undefined ? 'the user' : `service account ${account} in namespace ${namespace}`;
    return `${cannot}: permission is missing. Grant ${who} the verbs list and watch on pods ${where} (403 ${error.message})`;
  }
  return `${cannot}: ${error.status} ${error.message}`;
}

function networkText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A refusal on several addresses (localhost on IPv4 and IPv6) has its text in its parts only.
  if (error instanceof AggregateError && error.errors.length > 0) return networkText(error.errors[0]);
  return error.message === '' && 'code' in error ? String(error.code) : error.message;
}
