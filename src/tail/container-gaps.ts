import type { ContainerOffsets } from '../offsets/offset-store.ts';
import type { Gap, GapReason } from '../offsets/offsets-file.ts';

/** A part of a file that could not be read. */
export type Missed = Pick<Gap, 'file' | 'fileId' | 'reason' | 'from' | 'to'>;

export interface ContainerGapsOptions {
  readonly offsets: ContainerOffsets;
  /** When the offsets that this run began with were saved. */
  readonly savedAt: string | undefined;
  readonly onGap: (gap: Gap) => void;
  /** Whether what is told is kept until `release()`. */
  readonly held: boolean;
}

/** What could not be read of one container, told as gaps. */
export class ContainerGaps {
  readonly #options: ContainerGapsOptions;
  /** What was missed while nobody knew whether the container is wanted: gaps, if it turns out that it is. */
  readonly #kept: Gap[] = [];
  #held: boolean;

  constructor(options: ContainerGapsOptions) {
    this.#options = options;
    this.#held = options.held;
  }

  /** @param lastData when something of the container was last read, in milliseconds since 1970; undefined for never. */
  tell(missed: Missed, lastData: number | undefined): void {
    const { offsets, onGap } = this.#options;
    const since = lastData === undefined ? null : new Date(lastData).toISOString();
    const gap = { container: offsets.key, ...missed, since, until: new Date().toISOString() };
    if (this.#held) this.#kept.push(gap);
    else onGap(gap);
  }

  release(): void {
    this.#held = false;
    for (const gap of this.#kept.splice(0)) this.#options.onGap(gap);
  }

  /**
   * Tells of files that an earlier run knew and that are not there any more: what they held beyond is lost. To be
   * called once, when all that is there was found. Of a file that went while this run did not follow the container
   * nothing is told: as far as was known it was not wanted.
   */
  tellMissing(now: number, isThere: (fileId: string) => boolean): void {
    const { offsets, onGap, savedAt } = this.#options;
    const reason: GapReason = 'removed_while_down';
    for (const [fileId, { window, saved }] of offsets.files) {
      if (isThere(fileId)) continue;
      if (window === undefined && saved.done !== true) {
        onGap({
          container: offsets.key,
          file: saved.name,
          fileId,
          reason,
          from: saved.offset,
          to: null,
          since: savedAt ?? null,
          until: new Date(now).toISOString(),
        });
      }
      offsets.gone(fileId);
    }
  }
}
