import type { Log } from '../ops/log.ts';
import type { Metrics } from '../ops/metrics.ts';
import { Repeated } from '../ops/repeated.ts';
import { explainFailure, failureReason, isDenied, isExpired } from './api-failure.ts';
import { ApiError, type ApiClient, statusError } from './api-request.ts';
import { fullJitterMs, pause } from './backoff.ts';
import { readList, versionOf } from './api-objects.ts';
import { hedged } from './hedge.ts';
import type { KnownPods } from './known-pods.ts';
import type { Heard } from './targets.ts';
import type { SavedVersions } from './saved-versions.ts';
import type { ListWatchTiming } from './list-watch-timing.ts';
import { WatchPosition } from './watch-position.ts';
import { chunks, watchEvents } from './watch-stream.ts';

export interface ListWatchOptions {
  readonly client: ApiClient;
  readonly server: string;
  /** Undefined for all. */
  readonly namespace: string | undefined;
  readonly fieldSelector: string;
  readonly labelSelector: string;
  readonly pods: KnownPods;
  /** How far the last run had heard, and this one has. */
  readonly versions: SavedVersions;
  /** Called after each full list. */
  readonly onListed: () => void;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'podLists' | 'podWatchStarts' | 'podApiErrors'>;
  readonly timing: ListWatchTiming;
  readonly random: () => number;
}

/** So many silent watches in a row, and the version they began at is doubted. */
const MOST_SILENCES = 2;

// Only metadata are needed of a pod: a tenth of the bytes, for the server to send and for us to parse.
const acceptList = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';
const acceptEvents = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json';

/**
 * Keeps KnownPods in step with one namespace, or all: a list, then watches that go on from version to version,
 * and a list again only where the server has forgotten the version. It recovers from every failure by itself.
 */
export class ListWatch {
  readonly #options: ListWatchOptions;
  readonly #where: string;
  readonly #path: string;
  readonly #repeated: Repeated;
  readonly #position: WatchPosition;
  #relistAt = 0;
  #failures = 0;
  #deniedSince: number | undefined;
  #openedAt = 0;
  #listedAt = 0;
  #heardAt = 0;
  /** Watches, one after the other, on which nothing was heard until they were given up. */
  #silences = 0;
  /** When the watch that is open was asked for; undefined while none is. */
  #askedAt: number | undefined;
  #reopen: (() => void) | undefined;
  #suspicion: NodeJS.Timeout | undefined;
  /** The last failure, in words, while there is one. */
  trouble: string | undefined;
  listed = false;
  /** A watch is open. */
  open = false;

  constructor(options: ListWatchOptions) {
    this.#options = options;
    const { namespace } = options;
    this.#where = namespace === undefined ? 'in all namespaces' : `in namespace ${namespace}`;
    this.#path =
      namespace === undefined ? '/api/v1/pods' : `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
    this.#repeated = new Repeated(options.log);
    const { versions } = options;
    this.#position = new WatchPosition(versions.get(this.#key), (version) =>
      versions.heard(this.#key, version),
    );
  }

  /** Names what is watched. */
  get #key(): string {
    const { server, fieldSelector, labelSelector } = this.#options;
    return `${server}${this.#path}?${fieldSelector}&${labelSelector}`;
  }

  get where(): string {
    return this.#where;
  }
  /** Empty for all. */
  get namespace(): string {
    return this.#options.namespace ?? '';
  }

  /** Undefined while no watch is open. */
  get heard(): Heard | undefined {
    if (this.#askedAt === undefined) return undefined;
    const listedAt = this.#position.gapless ? 0 : this.#listedAt;
    return { askedAt: this.#askedAt, heardAt: this.#heardAt, listedAt };
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const verb = this.#position.version === undefined ? 'list' : 'watch';
      let retryAfterMs = 0;
      try {
        if (verb === 'list') await this.#list(signal);
        else await this.#watch(signal);
      } catch (error) {
        if (signal.aborted) break;
        retryAfterMs = this.#failed(error, verb);
      }
      if (verb === 'watch' || this.#position.version === undefined) await this.#pause(retryAfterMs, signal);
    }
    clearTimeout(this.#suspicion);
  }

  /**
   * Something was seen that the watch should have told: it may be half open, or hang. A watch from the version
   * that is known costs little and tells all that was missed.
   */
  suspect(): void {
    if (this.#suspicion !== undefined) return;
    const waitMs = Math.max(0, this.#openedAt + this.#options.timing.suspectMs - performance.now());
    this.#suspicion = setTimeout(() => {
      this.#suspicion = undefined;
      this.#reopen?.();
    }, waitMs);
  }

  /** All pods of the node as the API's objects, whatever their labels. @throws what asking for them throws. */
  async all(signal: AbortSignal): Promise<readonly unknown[]> {
    return (await this.#get(undefined, signal)).items;
  }

  async #get(labelSelector: string | undefined, signal: AbortSignal): Promise<ReturnType<typeof readList>> {
    const { client, metrics, timing, fieldSelector } = this.#options;
    metrics.podLists.inc();
    const { listVersion } = this.#position;
    const query = {
      fieldSelector,
      labelSelector,
      resourceVersion: listVersion,
      resourceVersionMatch: listVersion === undefined ? undefined : 'NotOlderThan',
    };
    const response = await this.#hedged(signal, (each, fresh) =>
      client.get(this.#path, query, { accept: acceptList, signal: each, fresh }),
    );
    let text = '';
    for await (const part of chunks(response, timing.bodyIdleMs)) text += part;
    return readList(text);
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { pods, timing, random, onListed, labelSelector } = this.#options;
    const askedAt = performance.now();
    const { items, version } = await this.#get(labelSelector === '' ? undefined : labelSelector, signal);
    pods.replaceAll(items);
    this.#position.listed(version);
    this.#listedAt = this.#heardAt = askedAt;
    this.#relistAt = performance.now() + timing.relistMs * (1 + random());
    this.listed = true;
    onListed();
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { client, metrics, timing, random, fieldSelector, labelSelector } = this.#options;
    const query = {
      watch: 'true',
      allowWatchBookmarks: 'true',
      fieldSelector,
      labelSelector: labelSelector === '' ? undefined : labelSelector,
      resourceVersion: this.#position.version,
      timeoutSeconds: String(Math.round((timing.watchMs / 1_000) * (1 + random() / 2))),
    };
    const askedAt = performance.now();
    const stream = await this.#hedged(signal, (each, fresh) =>
      client.get(this.#path, query, { accept: acceptEvents, signal: each, fresh }),
    );
    metrics.podWatchStarts.inc();
    this.#openedAt = performance.now();
    this.open = true;
    this.#askedAt = askedAt;
    let reopened = false;
    this.#reopen = () => {
      reopened = true;
      stream.abandon(new Error('Abandoned for a newer watch'));
    };
    const good = setTimeout(() => this.#recovered(), timing.goodMs);
    try {
      for await (const event of watchEvents(chunks(stream, timing.watchIdleMs))) this.#apply(event);
    } catch (error) {
      if (!reopened) throw error;
    } finally {
      this.open = false;
      this.#reopen = undefined;
      // Of one that is opened anew upon suspicion nothing is known to be wrong.
      if (!reopened) this.#askedAt = undefined;
      clearTimeout(good);
      if (performance.now() > this.#relistAt) this.#position.relist();
      else if (!reopened) this.#noteSilence();
    }
  }

  /**
   * A server whose etcd was restored from a backup answers a watch from a version that it has yet to reach with 200
   * and silence (kube-apiserver 1.36). One silent watch may be a bad connection; after two the newest list is asked for.
   */
  #noteSilence(): void {
    const silentMs = performance.now() - Math.max(this.#openedAt, this.#heardAt);
    const heardNothing = this.#heardAt < this.#openedAt && silentMs >= this.#options.timing.watchIdleMs;
    this.#silences = heardNothing ? this.#silences + 1 : 0;
    if (this.#silences < MOST_SILENCES) return;
    this.#silences = 0;
    this.#position.relistNewest();
  }

  #apply({ type, object }: { type: string; object: unknown }): void {
    const { pods } = this.#options;
    if (type === 'ERROR') {
      // As the reflectors of Kubernetes do: a watch that reports an error is not gone on with.
      this.#position.relist();
      throw statusError(object);
    }
    const version = versionOf(object);
    const isNews = this.#position.isNews(version);
    // How things stand the list has told; what was deleted before it, it has not.
    if ((type === 'ADDED' || type === 'MODIFIED') && isNews) pods.put(object);
    if (type === 'DELETED') pods.delete(object, isNews);
    this.#heardAt = performance.now();
    // Applied first: what fails to apply is told again by the next watch.
    if (version !== undefined) this.#position.told(version);
  }

  #hedged<T>(signal: AbortSignal, send: (signal: AbortSignal, fresh: boolean) => Promise<T>) {
    const { hedgeMs, answerMs } = this.#options.timing;
    // Agents that were left hanging together do not repeat themselves together.
    const everyMs = hedgeMs * (0.75 + this.#options.random() / 2);
    return hedged(send, { everyMs, limitMs: answerMs, signal });
  }

  #recovered(): void {
    this.#position.settled();
    this.#failures = 0;
    this.#deniedSince = undefined;
    this.trouble = undefined;
    this.#repeated.resolved('api', `Watching pods ${this.#where} again`);
  }

  /** Returns the pause that the server asks for, in milliseconds. */
  #failed(error: unknown, verb: 'list' | 'watch'): number {
    const { log, metrics, server } = this.#options;
    metrics.podApiErrors.inc({ reason: failureReason(error) });
    this.#askedAt = undefined;
    if (isDenied(error)) this.#deniedSince ??= performance.now();
    else this.#deniedSince = undefined;
    if (isExpired(error)) this.#position.expired(verb);
    const wasGood = verb === 'watch' && this.#failures === 0 && this.trouble === undefined;
    const message = explainFailure(error, verb, this.#where, server);
    if (wasGood && (!(error instanceof ApiError) || isExpired(error))) {
      // Connections end and versions expire all the time: worth a word only when the next try fails too.
      log.debug({ err: error }, message);
    } else {
      this.trouble = message;
      this.#repeated.problem('api', message, error instanceof ApiError ? {} : { err: error });
    }
    return error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
  }

  async #pause(retryAfterMs: number, signal: AbortSignal): Promise<void> {
    const { timing, random } = this.#options;
    this.#failures += 1;
    const denied = this.#deniedSince !== undefined && performance.now() - this.#deniedSince > 60_000;
    const ceilingMs = denied ? timing.deniedCeilingMs : timing.retryCeilingMs;
    const jitterMs = fullJitterMs(this.#failures, { firstMs: timing.retryFirstMs, ceilingMs }, random);
    // No answer to Retry-After sooner than asked; a word beyond half a minute is not believed.
    await pause(retryAfterMs > 0 ? Math.min(retryAfterMs, 30_000) + jitterMs / 2 : jitterMs, signal);
  }
}
