import type { Journal } from './journal.ts';
import type { RecordBook } from './record-book.ts';
import type { FileTrack, TortureContainer } from './torture-container.ts';

/** A file that is there for so long, in ms, before it is deleted must have been opened by an agent that was up. */
const SEE_MS = 1_000;
/** After so long the watch on the API works again, whatever had befallen it. */
const API_RECOVERS_MS = 6_000;
/** What was written so long ago, in ms, is in what the agent says of the bytes it has not read. */
const LOOK_MS = 400;
/** What was read so long ago is stored, where no batch waits. */
const BATCH_MS = 700;
/** The same where some do, and the store was not hindered for as long before: retries pause for 5 s at most. */
const STORE_MS = 8_000;
/** What is known for so long is in the offsets file. */
const SAVED_MS = 2_500;
/** An agent that lives for so long tells what it misses. */
const TELL_MS = 5_000;

/** All that was written by `to` had been read at `at`, in this life of the agent. */
interface Reading {
  readonly to: number;
  readonly at: number;
  readonly life: number;
}

/** What is known of the agent's view of one container. */
interface View {
  /** The agent's life in which it was seen to follow the container, and since when. */
  life: number;
  since: number;
  /** It is in the offsets file. */
  saved: boolean;
  /** What was finished by then is stored. */
  storedTo: number;
  readonly readings: Reading[];
  /** What is seen before does not count: the pod was deselected. */
  ignoreUntil: number;
  /** What is said of a container of its name may be of an earlier one. */
  ambiguous: boolean;
}

/** A file of which a part may be missing from the store; then a gap must say so. */
export interface OwedGap {
  readonly container: string;
  readonly seqs: readonly number[];
  /** Told at the start of a later life of the agent than this. */
  readonly life: number;
}

/**
 * Decides which records the agent had a fair chance to bring to the store. A record in a file that is still there
 * must be stored. Where its file was deleted, it must be where it was stored before surely, or where the agent had
 * had the time to open the file and then to read it before it was ended. Everything else must show up as a gap,
 * where the offsets file could know of it.
 */
export class Fairness {
  readonly #book: RecordBook;
  readonly #journal: Journal;
  /** Records that need not be stored, by why. */
  readonly excused = new Map<string, number>();
  readonly #views = new Map<TortureContainer, View>();
  /** Deleted files that the agent must have open, or have read. */
  #held: { readonly container: TortureContainer; readonly file: FileTrack; readonly deletedAt: number }[] =
    [];
  #life = 0;
  /** Since its first answer. */
  #upSince: number | undefined;
  #endedAt = 0;
  #startedAt = Infinity;
  #etcdSince = 0;
  #apiSince = 0;
  readonly owed: OwedGap[] = [];
  #untold: OwedGap[] = [];

  constructor(book: RecordBook, journal: Journal) {
    this.#book = book;
    this.#journal = journal;
  }

  get now(): number {
    return this.#book.now();
  }

  agentStarted(): void {
    this.#startedAt = this.now;
    this.#life++;
  }

  /** The agent was ended, or is about to be: what it had not stored and nobody else has is lost. */
  agentEnded(): void {
    if (this.#upSince !== undefined && this.now - this.#upSince > TELL_MS) this.#tellOwed();
    for (const { container, file } of this.#held) {
      this.#excuse(container, file, 'held when the agent ended');
    }
    this.#held = [];
    this.#upSince = undefined;
    this.#endedAt = this.now;
    this.#startedAt = Infinity;
  }

  /** The run is over. */
  end(): void {
    this.#tellOwed();
  }

  /** The offsets file is lost, while the agent is down. */
  stateLost(): void {
    for (const view of this.#views.values()) view.saved = false;
    this.#untold = [];
  }

  etcdBroken(): void {
    this.#etcdSince = Infinity;
  }
  etcdHealed(): void {
    this.#etcdSince = this.now;
  }
  apiBroken(): void {
    this.#apiSince = Infinity;
  }
  apiHealed(): void {
    this.#apiSince = this.now;
  }

  /** The pod's labels changed: what the agent does with it is not judged while they do not match, and a while after. */
  relabelled(container: TortureContainer, selected: boolean): void {
    const view = this.#view(container);
    view.life = -1;
    view.readings.length = 0;
    view.ignoreUntil = selected ? this.now + API_RECOVERS_MS : Infinity;
  }

  /** A pod of its name was there before: metrics name pods without their uid. */
  isNamesake(container: TortureContainer): void {
    this.#view(container).ambiguous = true;
  }

  /**
   * What the agent said of all containers it follows.
   *
   * @param asked the time before it was asked.
   * @param behind bytes not read yet, by `namespace/pod/container`.
   * @param idle no batch waits to be stored.
   */
  scraped(
    asked: number,
    { behind, idle }: { readonly behind: ReadonlyMap<string, number>; readonly idle: boolean },
    containers: Iterable<TortureContainer>,
  ): void {
    // What it says after it was told to end does not count.
    if (asked < this.#startedAt) return;
    this.#upSince ??= asked;
    // A container that is let go has been read: so the agent says, and it must be true.
    const letGo = new Set<TortureContainer>();
    for (const { container, deletedAt } of this.#held) if (asked > deletedAt + SEE_MS) letGo.add(container);
    for (const container of new Set([...containers, ...letGo])) {
      const { namespace, pod, container: name } = container.target;
      const view = this.#view(container);
      if (asked < view.ignoreUntil) continue;
      const bytes = behind.get(`${namespace}/${pod}/${name}`) ?? (letGo.has(container) ? 0 : undefined);
      if (view.ambiguous) view.ambiguous = bytes !== undefined && bytes > 0;
      if (bytes === undefined || view.ambiguous) continue;
      if (view.life !== this.#life) {
        view.life = this.#life;
        view.since = asked;
      }
      view.saved ||= asked - view.since > SAVED_MS;
      if (view.readings[0]?.life !== this.#life) view.readings.length = 0;
      this.#advance(view, idle);
      if (bytes > 0) continue;
      view.readings.push({ to: asked - LOOK_MS, at: this.now, life: this.#life });
    }
    this.#held = this.#held.filter(({ container, file }) => {
      const { storedTo } = this.#view(container);
      return !file.seqs.every((seq) => this.#book.wasFinishedBy(seq, storedTo));
    });
  }

  /** A file has been deleted, this moment. */
  deleted(container: TortureContainer, file: FileTrack): void {
    const open = this.#mustBeOpen(container, file);
    const { seqs, createdAt } = file;
    const { directory } = container.target;
    this.#journal.note('deleted', { directory, from: seqs[0], to: seqs.at(-1), createdAt, open });
    if (open) this.#held.push({ container, file, deletedAt: this.now });
    else
      this.#excuse(container, file, this.#upSince === undefined ? 'deleted while down' : 'deleted too soon');
  }

  #mustBeOpen(container: TortureContainer, file: FileTrack): boolean {
    const now = this.now;
    const view = this.#view(container);
    if (this.#upSince === undefined || now - this.#upSince < SEE_MS) return false;
    if (now - file.createdAt < SEE_MS || now - container.createdAt < SEE_MS) return false;
    if (view.life === this.#life) return now - view.since >= SEE_MS;
    const tellable = container.createdAt - API_RECOVERS_MS;
    return now >= view.ignoreUntil && this.#apiSince < tellable && this.#upSince < tellable;
  }

  /** Notes what must be stored by now. */
  #advance(view: View, idle: boolean): void {
    const { now } = this;
    const isStored = ({ life, at }: Reading) =>
      life === this.#life &&
      ((idle && now - at >= BATCH_MS) || (now - at >= STORE_MS && this.#etcdSince < at - STORE_MS));
    const stored = view.readings.findLastIndex(isStored);
    if (stored < 0) return;
    view.storedTo = Math.max(view.storedTo, view.readings[stored]!.to);
    view.readings.splice(0, stored + 1);
  }

  #excuse(container: TortureContainer, file: FileTrack, why: string): void {
    const view = this.#view(container);
    this.#advance(view, false);
    const lost = file.seqs.filter(
      (seq) => this.#book.isMust(seq) && !this.#book.wasFinishedBy(seq, view.storedTo),
    );
    for (const seq of lost) this.#book.excuse(seq);
    if (lost.length === 0) return;
    const { directory } = container.target;
    this.excused.set(why, (this.excused.get(why) ?? 0) + lost.length);
    this.#journal.note('excused', {
      directory,
      why,
      from: lost[0],
      to: lost.at(-1),
      storedTo: view.storedTo,
    });
    // Of a file that came while the agent was down nobody knows.
    const seenTo = this.#upSince === undefined ? this.#endedAt : this.now;
    const known = seenTo - file.createdAt > SAVED_MS + SEE_MS;
    if (view.saved && known && view.life === this.#life) {
      this.#untold.push({
        container: directory.split('/').slice(-2).join('/'),
        seqs: lost,
        life: this.#life,
      });
    }
  }

  #tellOwed(): void {
    this.owed.push(...this.#untold.filter(({ life }) => life < this.#life));
    this.#untold = this.#untold.filter(({ life }) => life >= this.#life);
  }

  #view(container: TortureContainer): View {
    let view = this.#views.get(container);
    if (view === undefined) {
      view = {
        life: -1,
        since: 0,
        saved: false,
        storedTo: 0,
        readings: [],
        ignoreUntil: 0,
        ambiguous: false,
      };
      this.#views.set(container, view);
    }
    return view;
  }
}
