import type { Log } from '../ops/log.ts';
import type { Metrics } from '../ops/metrics.ts';
import { Repeated } from '../ops/repeated.ts';
import { KeepLooking } from './keep-looking.ts';
import { listDirectories } from './list-directories.ts';
import { parsePodDirectory } from './log-path.ts';
import type { Heard, PodListener, PodSource, PodTarget } from './targets.ts';

export interface DirectorySourceOptions {
  readonly podLogDir: string;
  /** Undefined is all of them. */
  readonly namespaces: readonly string[] | undefined;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'watchErrors'>;
  /** The longest time until a directory is seen that no event told of, in milliseconds. Default 5,000. */
  readonly rescanMs?: number;
}

/** POD_SOURCE=directory: every pod that has a directory under POD_LOG_DIR, in the namespaces asked for. */
export class DirectorySource implements PodSource {
  readonly #options: DirectorySourceOptions;
  readonly #repeated: Repeated;
  readonly #pods = new Map<string, PodTarget>();
  notReady: string | undefined;
  #lookedAt: number | undefined;

  constructor(options: DirectorySourceOptions) {
    this.#options = options;
    this.#repeated = new Repeated(options.log);
    this.notReady = `${options.podLogDir} has not been listed yet`;
  }

  async run(listener: PodListener, signal: AbortSignal): Promise<void> {
    const { podLogDir: path, metrics, rescanMs = 5_000 } = this.#options;
    const onError = (error: unknown) => {
      metrics.watchErrors.inc();
      this.#repeated.problem('watch', `Cannot watch ${path}; it is listed every ${rescanMs} ms`, {
        err: error,
      });
    };
    const look = () => this.#look(listener);
    await new KeepLooking({ path, linkAllowed: true, look, rescanMs, missingMs: 250, onError }).run(signal);
  }

  heard(): Heard | undefined {
    return this.#lookedAt === undefined
      ? undefined
      : { askedAt: this.#lookedAt, heardAt: this.#lookedAt, listedAt: 0 };
  }

  async #look(listener: PodListener): Promise<boolean> {
    const { podLogDir } = this.#options;
    const lookedAt = performance.now();
    let names: string[] | undefined;
    try {
      names = await listDirectories(podLogDir, { linkAllowed: true });
    } catch (err) {
      // What cannot be seen has not gone.
      this.#missing(`Cannot list ${podLogDir}`, { err });
      return false;
    }
    if (names === undefined) this.#missing(`${podLogDir} does not exist yet; waiting for it`);
    else this.#repeated.resolved('list', `${podLogDir} can be listed`);
    this.#tell(listener, names ?? []);
    this.#lookedAt = lookedAt;
    if (names !== undefined && this.notReady !== undefined) {
      this.notReady = undefined;
      listener.synced();
    }
    return true;
  }

  #tell(listener: PodListener, names: readonly string[]): void {
    const { podLogDir, namespaces } = this.#options;
    const found = new Map<string, PodTarget>();
    for (const name of names) {
      const pod = parsePodDirectory(podLogDir, name);
      if (pod !== undefined && (namespaces?.includes(pod.namespace) ?? true)) found.set(pod.directory, pod);
    }
    for (const [directory, pod] of found) {
      if (this.#pods.has(directory)) continue;
      this.#pods.set(directory, pod);
      listener.added(pod);
    }
    for (const [directory, pod] of this.#pods) {
      if (found.has(directory)) continue;
      this.#pods.delete(directory);
      listener.removed(pod, 'deleted');
    }
  }

  #missing(problem: string, details = {}): void {
    this.#repeated.problem('list', problem, details);
    if (this.notReady !== undefined) this.notReady = problem;
  }
}
