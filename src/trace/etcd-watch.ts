import type { EventEmitter } from 'node:events';
import type { EtcdClient } from '../writers/etcd-client.ts';
import type { EtcdConnection } from '../writers/etcd-connection.ts';
import type { Bounds } from './etcd-pages.ts';

/** It is a Readable, which the library's type leaves out. */
type Stream = Awaited<ReturnType<EtcdClient['watchClient']['watch']>> & EventEmitter & AsyncIterable<Answer>;
type CreateRequest = NonNullable<Parameters<Stream['write']>[0]['create_request']>;

interface Answer {
  readonly header: { readonly revision: string };
  readonly created: boolean;
  readonly canceled: boolean;
  readonly cancel_reason: string;
  readonly compact_revision: string;
  /** More of the same revisions follows in the next answer. */
  readonly fragment: boolean;
  readonly events: readonly { readonly type: string; readonly kv: Put & { readonly version: string } }[];
}

/** A key that was put for the first time. */
export interface Put {
  readonly key: Buffer;
  readonly value: Buffer;
  /** The revision at which it was put. */
  readonly create_revision: string;
}

export interface Puts {
  readonly puts: readonly Put[];
  /** All puts up to this revision have come; undefined while more of the same revisions is to come. */
  readonly revision: string | undefined;
}

/** What happened at the revision that a watch was to begin with is forgotten; `oldest` is not. */
export class CompactedError extends Error {
  override readonly name = 'CompactedError';
  readonly oldest: bigint;

  constructor(compactRevision: string) {
    super(`Cannot watch etcd from so far back: its history begins at revision ${compactRevision}`);
    this.oldest = BigInt(compactRevision) + 1n;
  }
}

export interface WatchOptions extends Bounds {
  /** The first revision that is told of; in the past, what happened since is told first. */
  readonly from: bigint;
  /** Called when nothing has come for so many milliseconds; what it throws ends the watch. */
  readonly idle: { readonly afterMs: number; readonly call: () => Promise<unknown> };
}

/**
 * The puts of new keys in a range, as the server tells of them. Reading slowly slows the server's telling down.
 *
 * @throws CompactedError; EtcdFailure or another error where the watch breaks; the signal's reason.
 */
export async function* watchPuts(
  connection: EtcdConnection,
  { key, range_end, from, idle }: WatchOptions,
  signal: AbortSignal,
): AsyncGenerator<Puts, void> {
  const stream = (await connection.call(({ watchClient }) => watchClient.watch(), signal)) as Stream;
  // The library's listener would throw the error where nobody can catch it; and when the watch is given up, nobody
  // is left to hear of that.
  stream.removeAllListeners('error').on('error', () => undefined);
  const stop = (): void => stream.cancel();
  signal.addEventListener('abort', stop, { once: true });
  try {
    // `fragment` keeps answers below the limit of a message; the library's type does not know it.
    const request = { key, range_end, start_revision: String(from), filters: ['Nodelete'], fragment: true };
    stream.write({ create_request: request as CreateRequest });
    for await (const answer of answers(stream, idle)) {
      if (answer.canceled) {
        if (answer.compact_revision !== '0') throw new CompactedError(answer.compact_revision);
        throw new Error(`etcd ended the watch: ${answer.cancel_reason}`);
      }
      // Its revision is that of now, though what happened before may still have to be told.
      if (answer.created) continue;
      const puts = answer.events.filter(({ type, kv }) => type === 'Put' && kv.version === '1');
      yield {
        puts: puts.map(({ kv }) => kv),
        revision: answer.fragment ? undefined : answer.header.revision,
      };
    }
    throw new Error('etcd ended the watch');
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', stop);
    stream.cancel();
  }
}

async function* answers(stream: Stream, idle: WatchOptions['idle']): AsyncGenerator<Answer, void> {
  // Read so, it is read no faster than we go on.
  const iterator = stream[Symbol.asyncIterator]();
  for (;;) {
    const next = iterator.next();
    let result: IteratorResult<Answer> | undefined;
    while (result === undefined) {
      const { promise: waited, resolve } = Promise.withResolvers<undefined>();
      const timer = setTimeout(resolve, idle.afterMs, undefined);
      try {
        result = await Promise.race([next, waited]);
      } finally {
        clearTimeout(timer);
      }
      if (result === undefined) {
        next.catch(() => undefined);
        await idle.call();
      }
    }
    if (result.done === true) return;
    yield result.value;
  }
}
