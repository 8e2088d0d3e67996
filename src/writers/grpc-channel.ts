import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2';
import type { Socket } from 'node:net';
import { decodePercent } from '../util/decode-percent.ts';

/** The bytes before a message: it is not compressed, and so long (gRPC over HTTP/2, Length-Prefixed-Message). */
export const MESSAGE_HEAD = 5;

/** gRPC's status codes by number, as its errors name them. */
const names =
  'OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED'.split(
    ' ',
  );
const [OK, CANCELLED, DEADLINE_EXCEEDED, UNAVAILABLE] = [0, 1, 4, 14];
const LATE = 'Deadline exceeded';
const UNGREETED = 'No connection established. Last error: Failed to connect';

/** What a call needs beside its message. */
export interface CallSettings {
  /** A call without an answer fails after so many milliseconds. */
  readonly timeoutMs: number;
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Is told how to end the call. */
  readonly begins: (cancel: () => void) => void;
}

interface Connection {
  readonly session: ClientHttp2Session;
  /** Calls that are under way. */
  calls: number;
  /** The server has spoken HTTP/2. */
  greeted: boolean;
  /** No call is made on it any more: it ends with the last that is under way. */
  leaving: boolean;
  /** Its socket, as soon as there is one. */
  socket: Socket | undefined;
}

/**
 * One HTTP/2 connection to a gRPC server, for calls of one message and an answer that tells nothing beyond its
 * status. It connects at the first call, and anew at a call after the connection was lost. grpc-js does the same
 * work with resolvers, balancers, filters and retries of its own, for 60 % of the CPU time that a small batch took.
 */
export class GrpcChannel {
  readonly #url: string;
  readonly #tls: SecureClientSessionOptions;
  #connection: Connection | undefined;

  /** @param url `http:` or `https:`, without a path. */
  constructor(url: string, tls: Pick<SecureClientSessionOptions, 'ca' | 'cert' | 'key'>) {
    this.#url = url;
    this.#tls = tls;
  }

  /**
   * Resolves when the server says that the call is done.
   *
   * @param path `/<package>.<service>/<method>`.
   * @param message behind `MESSAGE_HEAD` bytes, which are filled in here.
   * @throws Error with gRPC's numeric `code`, and a message in grpc-js's form: `<code> <NAME>: <what>`.
   */
  async call(path: string, message: Buffer, { timeoutMs, headers, begins }: CallSettings): Promise<void> {
    const timeout = Math.ceil(timeoutMs);
    if (timeout <= 0) throw failure(DEADLINE_EXCEEDED, LATE);
    message[0] = 0;
    message.writeUInt32BE(message.length - MESSAGE_HEAD, 1);
    const connection = this.#connected();
    const stream = connection.session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': `${timeout}m`,
      ...headers,
    });
    connection.calls++;
    const answer = answerOf(stream, connection);
    const end = (code: number, why: string): void => answer.reject(failure(code, why));
    const timer = setTimeout(() => end(DEADLINE_EXCEEDED, LATE), timeout);
    begins(() => end(CANCELLED, 'no longer wanted'));
    stream.end(message);
    try {
      await answer.promise;
    } catch (error) {
      // The server need not go on, and what it did not take of the message is let go.
      stream.close(constants.NGHTTP2_CANCEL);
      throw error;
    } finally {
      clearTimeout(timer);
      connection.calls--;
      endIfOver(connection);
    }
  }

  /** Ends the connection with the last call that is under way on it, when its time is over at the latest. */
  close(): void {
    this.#leave();
  }

  #connected(): Connection {
    const now = this.#connection;
    if (now !== undefined && !now.session.closed && !now.session.destroyed) return now;
    this.#leave();
    const session = connect(this.#url, {
      ...this.#tls,
      settings: { enablePush: false },
      // How much is under way at once is bounded by who calls; beyond 10 MB Node would refuse calls.
      maxSessionMemory: 1_000,
    });
    const connection: Connection = { session, calls: 0, greeted: false, leaving: false, socket: undefined };
    session.once('connect', (_, socket) => (connection.socket = socket));
    session.once('remoteSettings', () => (connection.greeted = true));
    // The calls under way are told; without calls a lost connection is no news.
    session.on('error', () => undefined);
    this.#connection = connection;
    return connection;
  }

  #leave(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    connection.leaving = true;
    endIfOver(connection);
  }
}

/** Node ends the session alone only when what it writes is taken, for which a frozen server lets it wait for ever. */
function endIfOver({ session, calls, leaving, socket }: Connection): void {
  if (!leaving || calls > 0) return;
  session.destroy();
  socket?.destroy();
}

/** Settled by the first that the stream says of its outcome. */
function answerOf(stream: ClientHttp2Stream, connection: Connection): PromiseWithResolvers<void> {
  const answer = Promise.withResolvers<void>();
  let done = false;
  const take = (headers: IncomingHttpHeaders): void => {
    const status = headers['grpc-status'];
    if (status === undefined) return;
    done = true;
    if (Number(status) === OK) answer.resolve();
    else answer.reject(failure(Number(status), decodePercent(String(headers['grpc-message'] ?? ''))));
  };
  stream.on('response', (headers) => {
    take(headers);
    const status = headers[':status'];
    if (status !== 200) answer.reject(failure(UNAVAILABLE, `the answer is HTTP ${status}, not gRPC`));
  });
  stream.on('trailers', take);
  stream.on('error', (error) => answer.reject(failure(UNAVAILABLE, lost(error), error)));
  stream.on('close', () => {
    if (!done) answer.reject(failure(UNAVAILABLE, connection.greeted ? 'Connection dropped' : UNGREETED));
  });
  // What the answer holds is not asked for, and must go for the end to come.
  stream.resume();
  return answer;
}

function failure(code: number, what: string, cause?: unknown): Error {
  return Object.assign(new Error(`${code} ${names[code] ?? 'UNKNOWN'}: ${what}`, { cause }), { code });
}

/** Node tells of a stream that it was cancelled, and in the cause why its connection was lost. */
function lost({ message, cause }: Error): string {
  if (cause === undefined) return message;
  const last = cause as NodeJS.ErrnoException;
  return `No connection established. Last error: ${last.message || last.code}`;
}
