import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type Change, fieldsOf, podFields, PodStore, type PodSpec, type StoredPod } from './pod-store.ts';
import { BadSelectorError, parseFieldSelector, parseLabelSelector } from './selectors.ts';

export interface KubeApiOptions {
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** Time between bookmarks where they are asked for, in milliseconds. Default 60,000 as the real server's. */
  readonly bookmarkMs?: number;
  /** A watch that names no `timeoutSeconds` ends after this long, in milliseconds. Default 30 minutes. */
  readonly watchTimeoutMs?: number;
  /** PEM: serve https. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Where given, a request without this bearer token is answered with 401. */
  readonly token?: string;
  /** The user that a refusal names. */
  readonly user?: string;
  /** What the kubelet's /configz tells; without it the account may not ask. */
  readonly kubeletConfig?: Readonly<Record<string, unknown>>;
  /** That of a server which has been closed: its successor knows the same pods. */
  readonly store?: PodStore;
}

export type Verb = 'list' | 'watch';

/** What goes wrong from now on with new requests of a kind. */
export type Fault =
  /** The connection is accepted and the request is never answered. */
  | { readonly kind: 'hang' }
  /** The answer comes so many milliseconds late. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** The socket is destroyed in place of an answer. */
  | { readonly kind: 'drop' }
  /** The answer begins and the socket is destroyed in the middle of it. */
  | { readonly kind: 'cut' }
  /** A proxy on the way answers with a page of its own, and status 200. */
  | { readonly kind: 'page' }
  /** A watch is opened and nothing is ever sent on it. */
  | { readonly kind: 'silent' }
  | {
      readonly kind: 'refuse';
      readonly status: 400 | 401 | 403 | 410 | 429 | 500 | 503 | 504;
      readonly retryAfterSeconds?: number;
    };

interface OpenWatch {
  readonly response: ServerResponse;
  readonly matches: (pod: StoredPod) => boolean;
  readonly metadataOnly: boolean;
  readonly timers: NodeJS.Timeout[];
  /** Its client is not told anything any more, and not that it is not. */
  silent: boolean;
}

export interface SeenRequest {
  readonly verb: Verb;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage['headers'];
  /** Milliseconds of `performance.now()`. */
  readonly at: number;
}

/**
 * The pods of a Kubernetes API server, for tests: list and watch over HTTP as kube-apiserver answers them
 * (selectors, resource versions, bookmarks, 410 by status and by event), and its failures on command.
 */
export class KubeApi {
  readonly store: PodStore;
  /** Connections that were open at one time, at most. */
  mostConnections = 0;
  /** Bookmarks sent so far. */
  bookmarks = 0;
  /** Every list and watch request so far, in order of arrival; refused and hanging ones too. */
  readonly requests: SeenRequest[] = [];
  /** Told of each pod that a client is told of, as it is told. */
  onTold: (pod: StoredPod) => void = () => undefined;
  readonly #options: KubeApiOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #watches = new Set<OpenWatch>();
  readonly #faults = new Map<Verb, Fault>();
  /** How a watch from a version that is no longer known is told so. */
  expiredBy: 'event' | 'status' = 'event';

  private constructor(options: KubeApiOptions) {
    this.#options = options;
    this.store = options.store ?? new PodStore();
    const handle = (request: IncomingMessage, response: ServerResponse) => this.#handle(request, response);
    this.#server = options.tls ? createTlsServer(options.tls, handle) : createServer(handle);
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      this.mostConnections = Math.max(this.mostConnections, this.#sockets.size);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.store.onChange = (change) => {
      for (const watch of this.#watches) this.#tell(watch, change);
    };
  }

  static async start(options: KubeApiOptions = {}): Promise<KubeApi> {
    const api = new KubeApi(options);
    api.#server.listen(options.port ?? 0, '127.0.0.1');
    await once(api.#server, 'listening');
    return api;
  }

  get port(): number {
    // An IP server's address is never a string or null while it listens.
    return (this.#server.address() as AddressInfo).port;
  }
  get url(): string {
    return `${this.#options.tls ? 'https' : 'http'}://127.0.0.1:${this.port}`;
  }
  get openWatches(): number {
    return this.#watches.size;
  }

  addPod(spec: PodSpec): StoredPod {
    return this.store.put(spec);
  }
  /** What is not named stays. */
  updatePod(spec: PodSpec): StoredPod {
    if (this.store.get(spec.namespace, spec.name) === undefined) {
      throw new Error(`Cannot update pod ${spec.namespace}/${spec.name}: there is none`);
    }
    return this.store.put(spec);
  }
  deletePod(namespace: string, name: string): StoredPod {
    return this.store.delete(namespace, name);
  }

  /** From now on requests of the kind (both kinds by default) fail this way, until `heal()`. */
  break(fault: Fault, ...verbs: Verb[]): void {
    for (const verb of verbs.length === 0 ? (['list', 'watch'] as const) : verbs)
      this.#faults.set(verb, fault);
  }
  /** New requests are answered again. Those that hang go on hanging. */
  heal(): void {
    this.#faults.clear();
  }
  /** Destroys every connection. */
  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
  /** Open watches stay open and are told nothing any more. */
  silenceWatches(): void {
    for (const watch of this.#watches) watch.silent = true;
  }
  /** Open watches end as when their time is up. */
  endWatches(): void {
    for (const watch of this.#watches) this.#end(watch);
  }
  /** Open watches get an ERROR event with 410 and end. */
  expireWatches(): void {
    this.failWatches(410, 'Expired', 'too old resource version');
  }
  /** Open watches get an ERROR event with this status and end. */
  failWatches(code: number, reason: string, message: string): void {
    for (const watch of this.#watches) {
      send(watch.response, { type: 'ERROR', object: failure(code, reason, message) });
      this.#end(watch);
    }
  }
  /** Forgets the history of changes: whoever comes back with an older version is answered with 410. */
  compact(): void {
    this.store.compact();
  }
  count(verb: Verb): number {
    return this.requests.filter((request) => request.verb === verb).length;
  }

  /** Writes a kubeconfig for this server to the path and returns the path. */
  async kubeconfig(path: string): Promise<string> {
    const user = this.#options.token === undefined ? {} : { token: this.#options.token };
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'test',
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      clusters: [{ name: 'test', cluster: { server: this.url, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'test', user }],
    };
    await writeFile(path, JSON.stringify(config, undefined, 2));
    return path;
  }

  async close(): Promise<void> {
    for (const watch of this.#watches) for (const timer of watch.timers) clearTimeout(timer);
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.dropConnections();
    await closed;
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://kube-api');
    const [, namespace] = /^\/api\/v1(?:\/namespaces\/([^/]+))?\/pods$/.exec(url.pathname) ?? [undefined];
    const isPods = /^\/api\/v1(\/namespaces\/[^/]+)?\/pods$/.test(url.pathname);
    if (request.method === 'POST' && url.pathname.endsWith('/selfsubjectaccessreviews')) {
      return void this.#review(request, response);
    }
    if (url.pathname.endsWith('/proxy/configz') && this.#options.kubeletConfig !== undefined) {
      return answer(response, 200, { kubeletconfig: this.#options.kubeletConfig });
    }
    if (url.pathname === '/version') return answer(response, 200, { major: '1', minor: '34' });
    if (request.method !== 'GET' || !isPods) {
      return answer(
        response,
        404,
        failure(404, 'NotFound', 'the server could not find the requested resource'),
      );
    }
    const query = Object.fromEntries(url.searchParams);
    const verb: Verb = query['watch'] === 'true' || query['watch'] === '1' ? 'watch' : 'list';
    const seen = { verb, path: url.pathname, query, headers: request.headers, at: performance.now() };
    this.requests.push(seen);

    const fault = this.#faults.get(verb);
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'drop') return void request.socket.destroy();
    if (fault?.kind === 'cut') {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"kind":"PodList","items":[{"meta', () => request.socket.destroy());
      return;
    }
    if (fault?.kind === 'page') {
      response.writeHead(200, { 'content-type': 'text/html' });
      return void response.end('<html>\n<body>Please log in.</body>\n</html>\n');
    }
    if (fault?.kind === 'slow') {
      return void setTimeout(() => this.#answer(response, seen, namespace, false), fault.ms);
    }
    if (fault?.kind === 'refuse') return this.#refuse(response, fault, seen, namespace);
    this.#answer(response, seen, namespace, fault?.kind === 'silent');
  }

  /** Whether the account may: it may all that it is not refused. */
  async #review(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const part of request.setEncoding('utf8') as AsyncIterable<string>) text += part;
    const review = JSON.parse(text) as { spec: { resourceAttributes: { verb: Verb; resource: string } } };
    const { verb, resource } = review.spec.resourceAttributes;
    const fault = this.#faults.get(verb);
    const allowed = resource === 'pods' && !(fault?.kind === 'refuse' && fault.status === 403);
    answer(response, 201, { ...review, status: { allowed } });
  }

  #answer(response: ServerResponse, seen: SeenRequest, namespace: string | undefined, silent: boolean): void {
    if (this.#options.token !== undefined && seen.headers.authorization !== `Bearer ${this.#options.token}`) {
      return answer(response, 401, failure(401, 'Unauthorized', 'Unauthorized'));
    }

    try {
      const { query, verb } = seen;
      const labels = parseLabelSelector(query['labelSelector'] ?? '');
      const fields = parseFieldSelector(query['fieldSelector'] ?? '', podFields);
      const matches = (pod: StoredPod) =>
        (namespace === undefined || pod.metadata.namespace === namespace) &&
        labels(pod.metadata.labels) &&
        fields(fieldsOf(pod));
      if (verb === 'list') this.#list(response, seen, matches);
      else this.#watch(response, seen, matches, silent);
    } catch (error) {
      if (!(error instanceof BadSelectorError)) throw error;
      answer(response, 400, failure(400, 'BadRequest', error.message));
    }
  }

  #list(
    response: ServerResponse,
    { query, headers }: SeenRequest,
    matches: (pod: StoredPod) => boolean,
  ): void {
    const asked = query['resourceVersion'] ?? '';
    const exact = query['resourceVersionMatch'] === 'Exact';
    if (Number(asked) > this.store.version) {
      const status = failure(504, 'Timeout', `Too large resource version: ${asked}`);
      return answer(response, 504, { ...status, details: { retryAfterSeconds: 1 } });
    }
    // The older versions themselves are not kept: an exact one that is not the newest has expired.
    if (exact && Number(asked) !== this.store.version) {
      return answer(
        response,
        410,
        failure(410, 'Expired', `The resourceVersion for the provided list is too old.`),
      );
    }
    const all = this.store.list().filter(matches);
    // As kube-apiserver does, a list from the watch cache (version 0) comes whole, whatever the limit.
    const limit = asked === '0' ? 0 : Number(query['limit'] ?? 0);
    const start = Number(query['continue'] ?? 0);
    const items = limit > 0 ? all.slice(start, start + limit) : all;
    const rest = all.length - start - items.length;
    for (const pod of items) this.onTold(pod);
    const metadataOnly = wantsMetadata(headers.accept, 'PartialObjectMetadataList');
    answer(response, 200, {
      apiVersion: metadataOnly ? 'meta.k8s.io/v1' : 'v1',
      kind: metadataOnly ? 'PartialObjectMetadataList' : 'PodList',
      metadata: {
        resourceVersion: String(this.store.version),
        ...(limit > 0 && rest > 0 ? { continue: String(start + limit), remainingItemCount: rest } : {}),
      },
      // Items of a list carry no kind, as with the real server.
      items: items.map((pod) => (metadataOnly ? partial(pod) : { metadata: pod.metadata, spec: pod.spec })),
    });
  }

  #watch(
    response: ServerResponse,
    { query, headers }: SeenRequest,
    matches: (pod: StoredPod) => boolean,
    silent: boolean,
  ): void {
    const asked = query['resourceVersion'] ?? '';
    const version = asked === '' ? 0 : Number(asked);
    const gone = failure(410, 'Expired', `too old resource version: ${asked} (${this.store.oldest})`);
    const expired = version !== 0 && version < this.store.oldest;
    if (expired && this.expiredBy === 'status') return answer(response, 410, gone);

    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    if (expired) {
      send(response, { type: 'ERROR', object: gone });
      return void response.end();
    }
    const watch: OpenWatch = {
      response,
      matches,
      // From a version that is yet to come nothing is told, and no error either: measured with 1.36.
      silent: silent || version > this.store.version,
      metadataOnly: wantsMetadata(headers.accept, 'PartialObjectMetadata'),
      timers: [],
    };
    this.#watches.add(watch);
    response.on('close', () => {
      this.#watches.delete(watch);
      for (const timer of watch.timers) clearTimeout(timer);
    });

    const limitMs = query['timeoutSeconds'] ? Number(query['timeoutSeconds']) * 1_000 : undefined;
    watch.timers.push(
      setTimeout(
        () => this.#end(watch),
        Math.min(limitMs ?? Infinity, this.#options.watchTimeoutMs ?? 1_800_000),
      ),
    );
    if (query['allowWatchBookmarks'] === 'true') {
      watch.timers.push(setInterval(() => this.#bookmark(watch), this.#options.bookmarkMs ?? 60_000));
    }
    if (version === 0) {
      for (const pod of this.store.list().filter(matches)) this.#event(watch, 'ADDED', pod);
    } else {
      for (const change of this.store.since(version)) this.#tell(watch, change);
    }
  }

  /** A change as this watch's client sees it: what comes to match is added, what ceases to is deleted. */
  #tell(watch: OpenWatch, { before, after, last, version }: Change): void {
    const matched = before !== undefined && watch.matches(before);
    const matches = after !== undefined && watch.matches(after);
    if (matches) return this.#event(watch, matched ? 'MODIFIED' : 'ADDED', after);
    if (!matched) return;
    // A pod that merely ceases to match is told with its previous object, at the version of the change.
    const previous = { ...before, metadata: { ...before.metadata, resourceVersion: String(version) } };
    this.#event(watch, 'DELETED', after === undefined ? last : previous);
  }

  #event(watch: OpenWatch, type: string, pod: StoredPod): void {
    if (watch.silent) return;
    this.onTold(pod);
    send(watch.response, { type, object: watch.metadataOnly ? { ...partial(pod), ...partialKind } : pod });
  }

  /** Ends it, and tells it nothing more: its connection may close only later. */
  #end(watch: OpenWatch): void {
    this.#watches.delete(watch);
    for (const timer of watch.timers) clearTimeout(timer);
    watch.response.end();
  }

  #bookmark(watch: OpenWatch): void {
    if (watch.silent) return;
    this.bookmarks += 1;
    const metadata = { resourceVersion: String(this.store.version), creationTimestamp: null };
    send(watch.response, {
      type: 'BOOKMARK',
      object: watch.metadataOnly
        ? { ...partialKind, metadata }
        : { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: null }, status: {} },
    });
  }

  #refuse(
    response: ServerResponse,
    { status, retryAfterSeconds }: Extract<Fault, { kind: 'refuse' }>,
    { verb }: SeenRequest,
    namespace: string | undefined,
  ): void {
    if (retryAfterSeconds !== undefined) response.setHeader('retry-after', String(retryAfterSeconds));
    const user = this.#options.user ?? 'system:serviceaccount:frostbeat:frostbeat';
    const where = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
    const [reason, message] = {
      400: ['BadRequest', 'bad request'],
      401: ['Unauthorized', 'Unauthorized'],
      403: [
        'Forbidden',
        `pods is forbidden: User "${user}" cannot ${verb} resource "pods" in API group "" ${where}`,
      ],
      410: ['Expired', 'The resourceVersion for the provided watch is too old.'],
      429: ['TooManyRequests', 'too many requests, please try again later'],
      500: ['InternalError', 'Internal error occurred: etcdserver: leader changed'],
      503: ['ServiceUnavailable', 'apiserver not ready'],
      504: ['Timeout', 'Timeout: request did not complete within the allotted timeout'],
    }[status] as [string, string];
    answer(response, status, failure(status, reason, message));
  }
}

const partialKind = { apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadata' };

function partial(pod: StoredPod) {
  return { metadata: pod.metadata };
}

function wantsMetadata(accept: string | undefined, kind: string): boolean {
  return new RegExp(`as=${kind}(;|,|$)`).test(accept ?? '');
}

function failure(code: number, reason: string, message: string) {
  return { apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Failure', message, reason, code };
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function send(response: ServerResponse, event: object): void {
  response.write(`${JSON.stringify(event)}\n`);
}
