import type { Heard, PodTarget } from './targets.ts';

/** All in milliseconds. */
export interface UnknownTiming {
  /** A directory may be there for so long before its pod is told without anybody wondering. */
  readonly wonderMs: number;
  /**
   * What has not been told so long after the source was heard is not selected. What the API says comes from caches,
   * which may be behind by a moment.
   */
  readonly settleMs: number;
  /**
   * The same where the source has answered and then says nothing: bookmarks come about every 60 s, and only on a
   * watch that is neither cut nor opened anew before, which new directories may cause.
   */
  readonly silentMs: number;
  /** Whether a pod exists at all is asked again after so long, where the source could not say. */
  readonly askAgainMs: number;
}

export const defaultUnknownTiming: UnknownTiming = {
  wonderMs: 1_000,
  settleMs: 5_000,
  silentMs: 90_000,
  askAgainMs: 5_000,
};

/** The order of a pod's deletion and its directory's end is not fixed, but they come within so many milliseconds. */
const orderMs = 2_000;
/** Beyond so many the oldest are given up. */
const most = 2_000;

interface Unknown {
  readonly pod: PodTarget;
  readonly since: number;
  goneAt: number | undefined;
  suspected: boolean;
  /** Since when the source has been heard, after this was seen. */
  heardAt: number | undefined;
  /** How long, all in all, a source was listened to that had answered after this was seen, in milliseconds. */
  answeredMs: number;
}

/** What is to be done about the directories whose pod has not been told. */
export interface Review {
  /** The source may have missed these: it should look again. */
  readonly suspects: readonly PodTarget[];
  /** These pods are not selected, as far as anybody can tell. */
  readonly decided: readonly PodTarget[];
  /** Of these, the ones that came and went unheard: whether they were selected will never be known. */
  readonly neverTold: readonly PodTarget[];
  /**
   * Of these, the ones that are older than the last list and still there: not selected, or deleted before that list,
   * and then it will never be known either.
   */
  readonly doubtful: readonly PodTarget[];
}

/**
 * Directories whose pod has not been told: each from its first sight until its pod is told, or the source has been
 * heard for long enough that it would have been. That a watch is open says nothing: it may hang. All times are `performance.now()`.
 */
export class UnknownPods {
  readonly #timing: UnknownTiming;
  readonly #heard: (pod: PodTarget) => Heard | undefined;
  readonly #unknown = new Map<string, Unknown>();
  /** Those whose pod is not selected, while they are there. */
  readonly #decided = new Set<string>();
  /** Of an earlier run: for these nobody need wonder. */
  readonly #unselected: ReadonlySet<string>;
  #reviewedAt = 0;

  /** @param unselected directories whose pods an earlier run knew not to be selected. */
  constructor(
    timing: UnknownTiming,
    heard: (pod: PodTarget) => Heard | undefined,
    unselected: Iterable<string> = [],
  ) {
    this.#timing = timing;
    this.#heard = heard;
    this.#unselected = new Set(unselected);
  }

  /** Directories that are there, and whose pods are not selected. */
  get unselected(): string[] {
    return [...this.#decided];
  }

  get size(): number {
    return this.#unknown.size;
  }

  /** Those that came and went, where the source is not to be heard, or not of so long ago. */
  get neverTold(): PodTarget[] {
    return [...this.#unknown.values()].filter((unknown) => this.#cameAndWent(unknown)).map(({ pod }) => pod);
  }

  /** The pod has been told: it is not unknown any more. */
  told({ directory }: PodTarget): void {
    this.#unknown.delete(directory);
    this.#decided.delete(directory);
  }

  /** The pod was told, or remembered, and is not selected any more. */
  released({ directory }: PodTarget): void {
    this.#decided.add(directory);
  }

  /**
   * Directories that are there now, without those whose pod is known.
   *
   * @returns those of them that are new.
   */
  see(pods: readonly PodTarget[], now: number): PodTarget[] {
    if (this.#unknown.size === 0) this.#reviewedAt = now;
    const there = new Set(pods.map(({ directory }) => directory));
    for (const directory of this.#decided) if (!there.has(directory)) this.#decided.delete(directory);
    for (const [directory, unknown] of this.#unknown) {
      unknown.goneAt = there.has(directory) ? undefined : (unknown.goneAt ?? now);
    }
    const fresh = pods.filter(
      ({ directory }) => !this.#unknown.has(directory) && !this.#decided.has(directory),
    );
    for (const pod of fresh) {
      this.#unknown.set(pod.directory, {
        pod,
        since: now,
        goneAt: undefined,
        suspected: false,
        heardAt: undefined,
        answeredMs: 0,
      });
    }
    return fresh;
  }

  review(now: number): Review {
    const { wonderMs, settleMs, silentMs } = this.#timing;
    const suspects: PodTarget[] = [];
    const decided: PodTarget[] = [];
    const neverTold: PodTarget[] = [];
    const doubtful: PodTarget[] = [];
    const tooMany = this.#unknown.size - most;
    let index = 0;
    for (const unknown of this.#unknown.values()) {
      const { pod, since } = unknown;
      const heard = this.#heard(pod);
      const { askedAt = 0, heardAt = 0 } = heard ?? {};
      unknown.heardAt = heardAt >= since ? (unknown.heardAt ?? now) : undefined;
      if (askedAt >= since) unknown.answeredMs += now - this.#reviewedAt;
      const heardFor = now - (unknown.heardAt ?? Infinity);
      if (heardFor >= settleMs || unknown.answeredMs >= silentMs) {
        decided.push(pod);
        if (this.#cameAndWent(unknown)) neverTold.push(pod);
        else if (unknown.goneAt === undefined && this.#mayHaveGone(unknown)) doubtful.push(pod);
      } else if (index++ < tooMany) {
        decided.push(pod);
        neverTold.push(pod);
      } else if (heard !== undefined && askedAt < since && !unknown.suspected && now - since >= wonderMs) {
        unknown.suspected = true;
        suspects.push(pod);
      }
    }
    this.#reviewedAt = now;
    for (const { directory } of decided) {
      this.#unknown.delete(directory);
      this.#decided.add(directory);
    }
    return { suspects, decided, neverTold, doubtful };
  }

  /** A watch that goes on from a version tells of every pod, gone ones too; a list only of those that are there. */
  #cameAndWent(unknown: Unknown): boolean {
    const { pod, goneAt } = unknown;
    if (goneAt === undefined) return false;
    return this.#mayHaveGone(unknown) && goneAt < this.#listedAt(pod) + orderMs;
  }

  /** Whether its pod may have been deleted unheard: it is older than the last list. */
  #mayHaveGone({ pod, since }: Unknown): boolean {
    return since < this.#listedAt(pod) && !this.#unselected.has(pod.directory);
  }

  #listedAt(pod: PodTarget): number {
    return this.#heard(pod)?.listedAt ?? Infinity;
  }
}
