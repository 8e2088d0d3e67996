/** A file as its growth is measured; of a compressed one nothing is expected. */
export interface GrowingFile {
  readonly fileId: string;
  /** In bytes. */
  readonly size: number;
  readonly compressed: boolean;
}

/** What is older than about so much counts little. */
const MEMORY_SECONDS = 60;

/**
 * How fast a container writes, from the sizes of its files now and then: an average over the last minute or so,
 * in which each sample weighs as its age tells, however often samples are taken.
 */
export class Growth {
  #sizes: ReadonlyMap<string, number> | undefined;
  #at = 0;
  #rate: number | undefined;

  /** In bytes a second; undefined before the second sample. */
  get bytesPerSecond(): number | undefined {
    return this.#rate;
  }

  /** @param now milliseconds of a clock that never goes back. */
  sample(files: readonly GrowingFile[], now: number): void {
    const sizes = new Map(files.filter((file) => !file.compressed).map(({ fileId, size }) => [fileId, size]));
    const before = this.#sizes;
    const seconds = (now - this.#at) / 1000;
    if (before !== undefined && seconds <= 0) return;
    this.#at = now;
    // Files that are there when the container is first seen were not written just now.
    this.#sizes = before === undefined && sizes.size === 0 ? undefined : sizes;
    if (before === undefined) return;
    let bytes = 0;
    for (const [fileId, size] of sizes) bytes += Math.max(0, size - (before.get(fileId) ?? 0));
    const latest = bytes / seconds;
    const old = this.#rate ?? latest;
    this.#rate = old + (latest - old) * (1 - Math.exp(-seconds / MEMORY_SECONDS));
    if (this.#rate < 0.5) this.#rate = 0;
  }
}
