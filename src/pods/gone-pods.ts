import type { PodSource, PodTarget } from './targets.ts';

/**
 * Directories that are there of pods that the source does not tell, and that may have been deleted before it was
 * heard: whether a pod exists at all is asked of it, once for all that wait.
 */
export class GonePods {
  readonly #source: Pick<PodSource, 'existing'>;
  readonly #onGone: (pods: readonly PodTarget[]) => void;
  readonly #againMs: number;
  #doubtful: PodTarget[] = [];
  #askAt = 0;
  #asking = false;

  /**
   * @param againMs the source is asked again after so long, in milliseconds, where it could not say.
   * @param onGone these exist no more: whether they were selected nobody can tell.
   */
  constructor(
    source: Pick<PodSource, 'existing'>,
    againMs: number,
    onGone: (pods: readonly PodTarget[]) => void,
  ) {
    this.#source = source;
    this.#againMs = againMs;
    this.#onGone = onGone;
  }

  /** How many wait for an answer. */
  get size(): number {
    return this.#doubtful.length;
  }

  add(pods: readonly PodTarget[]): void {
    if (this.#source.existing !== undefined) this.#doubtful.push(...pods);
  }

  /** Asks where there is somebody to ask for. @param now in milliseconds of `performance.now()`. */
  async ask(now: number, signal: AbortSignal): Promise<void> {
    const [first] = this.#doubtful;
    if (first === undefined || this.#asking || now < this.#askAt) return;
    this.#asking = true;
    this.#askAt = now + this.#againMs;
    const asked = this.#doubtful.filter(({ namespace }) => namespace === first.namespace);
    try {
      const existing = await this.#source.existing!(first, signal);
      this.#doubtful = this.#doubtful.filter((pod) => !asked.includes(pod));
      this.#askAt = 0;
      this.#onGone(asked.filter(({ directory }) => !existing.has(directory)));
    } catch {
      // What is wrong with the source it says itself; here it is asked again.
    } finally {
      this.#asking = false;
    }
  }
}
