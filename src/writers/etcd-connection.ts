import {
  type Begins,
  CALL_MS,
  type CallOptions,
  type EtcdAddress,
  type EtcdClient,
  makeEtcdClient,
  readSecrets,
  sameSecrets,
  type Secrets,
  type TimedOptions,
} from './etcd-client.ts';
import { EtcdFailure } from './etcd-errors.ts';

type Interceptor = NonNullable<CallOptions['interceptors']>[number];

/** gRPC's code; its enum is in a package that is not ours. */
const CANCELLED = 1;

/** What an interceptor is given. */
interface Cancellable {
  cancelWithStatus(status: number, details: string): void;
}

/**
 * One call of etcd; it must hand on `options`, which carry the deadline. One that is not made through etcd3's
 * interceptors tells `begins` of it, so that it can be ended.
 */
export type Call<T> = (client: EtcdClient, options: TimedOptions, begins: Begins) => Promise<T>;

interface Current {
  readonly client: EtcdClient;
  readonly secrets: Secrets;
}

/**
 * The way to an etcd cluster: one client for one endpoint at a time. It stays with an endpoint until that fails,
 * then goes to the next with a new client, for which password and certificates are read anew: what was
 * renewed on disk is picked up as soon as it matters. Nothing connects before the first call.
 */
export class EtcdConnection {
  readonly #address: EtcdAddress;
  #endpoint: number;
  #current: Promise<Current> | undefined;
  #closed = false;

  /** @param random picks the first endpoint, so that the agents of many nodes spread. */
  constructor(address: EtcdAddress, random: () => number = Math.random) {
    this.#address = address;
    this.#endpoint = Math.floor(random() * address.servers.length);
  }

  /** The endpoints, for messages. */
  get name(): string {
    return this.#address.servers.join(', ');
  }

  /**
   * Makes one call. It is repeated here only where that needs no pause: when another client took the place of
   * the one in use, or the files hold new secrets.
   *
   * @param timeoutMs at most this long, the repeated call included.
   * @throws EtcdFailure or, as soon as the signal aborts, its reason.
   */
  async call<T>(call: Call<T>, signal: AbortSignal, timeoutMs = CALL_MS): Promise<T> {
    const deadline = Date.now() + timeoutMs;
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      const used = this.#connect();
      try {
        return await makeCall(used, call, signal, deadline);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        const failure = new EtcdFailure(error);
        if (failure.moveOn) this.#moveOn(used, failure);
        if (attempt > 1 || this.#closed || !(await this.#isWorthAnother(failure, used))) throw failure;
      }
    }
  }

  /** Closes the connection; calls that are under way end by themselves. */
  async close(): Promise<void> {
    this.#closed = true;
    const current = this.#current;
    this.#current = undefined;
    await current?.then(closeClient, () => undefined);
  }

  #connect(): Promise<Current> {
    this.#current ??= readSecrets(this.#address).then((secrets) => {
      const server = this.#address.servers[this.#endpoint]!;
      return { client: makeEtcdClient(server, this.#address.username, secrets), secrets };
    });
    return this.#current;
  }

  /** Calls that fail together move on once. */
  #moveOn(failed: Promise<Current>, { remedy }: EtcdFailure): void {
    if (this.#current !== failed) return;
    this.#current = undefined;
    if (remedy === 'again') this.#endpoint = (this.#endpoint + 1) % this.#address.servers.length;
    failed.then(closeClient, () => undefined);
  }

  async #isWorthAnother({ remedy, moveOn }: EtcdFailure, used: Promise<Current>): Promise<boolean> {
    if (remedy === 'new-client') return true;
    if (!moveOn || this.#current === used) return false;
    try {
      const [before, now] = await Promise.all([used, readSecrets(this.#address)]);
      return !sameSecrets(before.secrets, now);
    } catch {
      // The failure at hand says more than that the files cannot be read now; the next attempt says that.
      return false;
    }
  }
}

function closeClient({ client }: Current): void {
  client.close();
}

/** etcd3 has no way to end a call that has begun; gRPC's interceptors have. */
async function makeCall<T>(
  connected: Promise<Current>,
  call: Call<T>,
  signal: AbortSignal,
  deadline: number,
): Promise<T> {
  let cancel: (() => void) | undefined;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => {
    cancel?.();
    reject(signal.reason as Error);
  };
  const begins: Begins = (its) => {
    cancel = its;
  };
  const remember: Interceptor = (callOptions, next) => {
    const begun = next(callOptions);
    const one: Cancellable = begun;
    begins(() => one.cancelWithStatus(CANCELLED, 'no longer wanted'));
    // The type asks for the class where its interface is what gRPC works with.
    return begun as ReturnType<Interceptor>;
  };
  signal.addEventListener('abort', abort, { once: true });
  try {
    const options = { deadline, interceptors: [remember] };
    const answer = connected.then(({ client }) => {
      signal.throwIfAborted();
      return call(client, options, begins);
    });
    return await Promise.race([answer, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
