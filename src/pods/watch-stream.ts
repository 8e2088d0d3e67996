import type { IncomingMessage } from 'node:http';
import { ApiTimeoutError } from './api-request.ts';
import type { Hedged } from './hedge.ts';

/** One event of a watch (meta/v1 WatchEvent). */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: unknown;
}

/**
 * The parts of a body as they come.
 *
 * @param idleMs the longest wait for the next part, in milliseconds.
 * @throws ApiTimeoutError when that is over; errors of the network.
 */
export async function* chunks(
  { answer, abandon }: Hedged<IncomingMessage>,
  idleMs: number,
): AsyncGenerator<string> {
  let late: ApiTimeoutError | undefined;
  const timer = setTimeout(() => {
    late = new ApiTimeoutError(`nothing was heard for ${Math.round(idleMs / 1_000)} s`);
    abandon(late);
  }, idleMs);
  try {
    for await (const chunk of answer as AsyncIterable<string>) {
      timer.refresh();
      yield chunk;
    }
  } catch (error) {
    throw late ?? error;
  } finally {
    clearTimeout(timer);
    abandon(new Error('Abandoned: nobody reads on'));
  }
}

/**
 * The events of a watch. What a cut connection leaves of a last line is dropped: it is told again by the next
 * watch, since only whole events move the version on.
 *
 * @throws SyntaxError where a line is no JSON.
 */
export async function* watchEvents(parts: AsyncIterable<string>): AsyncGenerator<WatchEvent> {
  let rest = '';
  for await (const part of parts) {
    const lines = (rest + part).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield JSON.parse(line) as WatchEvent;
  }
}
