import type { Log } from '../ops/log.ts';
import type { Metrics } from '../ops/metrics.ts';
import { type ApiAccess, loadApiAccess } from './api-access.ts';
import { createApiClient } from './api-request.ts';
import { pause } from './backoff.ts';
import { directoryOf, KnownPods } from './known-pods.ts';
import { SavedVersions } from './saved-versions.ts';
import { ListWatch } from './list-watch.ts';
import { defaultTiming, type ListWatchTiming } from './list-watch-timing.ts';
import type { Heard, PodListener, PodSource, PodTarget, WatchState } from './targets.ts';

export interface PodWatchOptions {
  readonly nodeName: string;
  /** Undefined is all of them. */
  readonly namespaces: readonly string[] | undefined;
  /** In the API's grammar; empty selects all pods. */
  readonly selector: string;
  readonly podLogDir: string;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'podLists' | 'podWatchStarts' | 'podApiErrors'>;
  /** Where it is kept how far the watches have heard, for the next run; nowhere by default. */
  readonly versionsPath?: string;
  readonly access?: ApiAccess;
  readonly timing?: Partial<ListWatchTiming>;
  /**
   * The first list is asked for after a pause of up to so many milliseconds. A rolling update spreads the agents by
   * itself; this is for those that one event starts together. It costs no record: what the offsets remember goes on
   * without the API, and everything else is held open meanwhile.
   */
  readonly startJitterMs?: number;
  /** Gives numbers from 0 to below 1. */
  readonly random?: () => number;
}

/**
 * The pods of this node from the Kubernetes API: one list and one watch for each namespace.
 *
 * @throws Error where there is no usable configuration; that the API is not there is no such error.
 */
export async function openPodWatch(options: PodWatchOptions): Promise<PodSource> {
  const access = options.access ?? (await loadApiAccess());
  return new PodWatch(options, access, await SavedVersions.load({ path: options.versionsPath }));
}

class PodWatch implements PodSource {
  readonly #options: PodWatchOptions;
  readonly #access: ApiAccess;
  readonly #versions: SavedVersions;
  #watches: readonly ListWatch[] = [];

  constructor(options: PodWatchOptions, access: ApiAccess, versions: SavedVersions) {
    this.#options = options;
    this.#access = access;
    this.#versions = versions;
  }

  get notReady(): string | undefined {
    if (this.#watches.length === 0) return 'the pod watch has not begun';
    const missing = this.#watches.find(({ listed }) => !listed);
    if (missing === undefined) return undefined;
    return `no list of the pods ${missing.where} yet: ${missing.trouble ?? `${this.#access.server} has not answered yet`}`;
  }

  get watches(): readonly WatchState[] {
    return this.#watches.map(({ namespace, open, trouble }) => ({ namespace, open, trouble }));
  }

  suspect(pod: PodTarget): void {
    this.#watchOf(pod)?.suspect();
  }

  heard(pod: PodTarget): Heard | undefined {
    return this.#watchOf(pod)?.heard;
  }

  async existing(pod: PodTarget, signal: AbortSignal): Promise<ReadonlySet<string>> {
    const objects = (await this.#watchOf(pod)?.all(signal)) ?? [];
    return new Set(objects.map((object) => directoryOf(this.#options.podLogDir, object)));
  }

  async run(listener: PodListener, signal: AbortSignal): Promise<void> {
    const { namespaces, startJitterMs = 500, random = Math.random } = this.#options;
    const client = createApiClient(this.#access, 'frostbeat');
    this.#watches = (namespaces ?? [undefined]).map(
      (namespace) =>
        new ListWatch({
          client,
          server: this.#access.server,
          namespace,
          fieldSelector: `spec.nodeName=${this.#options.nodeName}`,
          labelSelector: this.#options.selector,
          pods: new KnownPods(this.#options.podLogDir, listener),
          versions: this.#versions,
          onListed: () => {
            if (this.#watches.every(({ listed }) => listed)) listener.synced();
          },
          log: this.#options.log,
          metrics: this.#options.metrics,
          timing: { ...defaultTiming, ...this.#options.timing },
          random,
        }),
    );
    await pause(random() * startJitterMs, signal);
    await Promise.all(this.#watches.map((watch) => watch.run(signal)));
    await this.#versions.close();
  }

  #watchOf({ namespace }: PodTarget): ListWatch | undefined {
    return this.#watches[this.#options.namespaces?.indexOf(namespace) ?? 0];
  }
}
