import { ApiTimeoutError } from './api-request.ts';
import { pause } from './backoff.ts';

export interface HedgeOptions {
  /** Without an answer for so long, the request is sent once more; and again, and again. Milliseconds. */
  readonly everyMs: number;
  /** Without an answer for so long it has failed. Milliseconds. */
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

/** One of several requests; `abandon` ends it, its body too. */
export interface Hedged<T> {
  readonly answer: T;
  readonly abandon: (reason: Error) => void;
}

/**
 * Sends a request, and sends it again on other connections while no answer comes. The first one stays to the
 * limit, so that a slow server gets to answer it; of the repeated ones only the newest stays, so that a server
 * that hangs holds two requests of ours and not more. So an answer is had soon after a server or a network
 * comes back, where the old connection may not notice for minutes, and where time-outs short enough for
 * that would never let a slow server answer.
 *
 * The first outcome counts, answer or failure; the others are abandoned.
 *
 * @throws ApiTimeoutError at the limit; what `send` throws; the signal's reason when it aborts.
 */
export async function hedged<T>(
  send: (signal: AbortSignal, repeated: boolean) => Promise<T>,
  { everyMs, limitMs, signal }: HedgeOptions,
): Promise<Hedged<T>> {
  signal.throwIfAborted();
  const over = new AbortController();
  const outcome = Promise.withResolvers<Hedged<T>>();
  const open = new Set<AbortController>();

  const settle = async (mine: AbortController, answered: Promise<T>) => {
    try {
      const answer = await answered;
      // Stays among the open ones, and is ended with them, where another was answered in the same moment.
      if (over.signal.aborted) return;
      over.abort();
      open.delete(mine);
      outcome.resolve({ answer, abandon: (reason) => mine.abort(reason) });
    } catch (error) {
      if (!mine.signal.aborted) outcome.reject(signal.aborted ? signal.reason : error);
    }
  };

  const attempt = (repeated: boolean): AbortController => {
    const mine = new AbortController();
    open.add(mine);
    void settle(mine, send(AbortSignal.any([mine.signal, signal]), repeated));
    return mine;
  };

  const repeat = async () => {
    const began = performance.now();
    let newest: AbortController | undefined;
    for (;;) {
      const left = limitMs - (performance.now() - began);
      await pause(Math.min(everyMs, left), AbortSignal.any([over.signal, signal]));
      if (over.signal.aborted || signal.aborted) return;
      if (left <= everyMs) {
        outcome.reject(new ApiTimeoutError(`no answer for ${Math.round(limitMs / 1000)} s`));
        return;
      }
      newest?.abort(new Error('Abandoned for a newer request'));
      newest = attempt(true);
    }
  };

  attempt(false);
  const repeating = repeat();
  try {
    return await outcome.promise;
  } finally {
    over.abort();
    for (const other of open) other.abort(new Error('Abandoned: another request was answered'));
    await repeating;
  }
}
