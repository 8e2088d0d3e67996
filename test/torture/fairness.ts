import type { Journal } from './journal.ts';
import { Patience } from '../support/patience.ts';
import type { RecordBook } from './record-book.ts';
import type { FileTrack, TortureContainer } from './torture-container.ts';

// How long the agent may take is told in milliseconds of the time that it had: see Patience.

/** A file that is there for so long before it is deleted must have been opened by then. */
const OPEN_MS = 1_000;
/** What was written so long ago is in what the agent says of the bytes it has not read. */
const LOOK_MS = 1_500;
/** What was read so long ago is stored, where no batch waits: a line without an end waits, its batch does, and there is time to spare. */
const STORE_MS = 3_000;
/** What is known for so long is in the offsets file, which is saved every second. */
const SAVED_MS = 2_500;
/** An agent that lives for so long tells what it misses. */
const TELL_MS = 5_000;
/** After so long, in ms, the watch on the API works again, whatever had befallen it. */
const API_RECOVERS_MS = 6_000;

/** All that was written by `to` had been read when the agent had had so much time. */
interface Reading {
  readonly to: number;
  readonly had: number;
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
  /** Of this life, the oldest first. */
  readings: Reading[];
  /** What is seen before does not count: the pod was deselected. */
  ignoreUntil: number;
  /** There was a pod of its name before: what is said of a container of that name may be of the earlier one. */
  namesake: boolean;
}

/** What the agent says of itself, as far as it matters here. */
export interface Said {
  /** Bytes not read yet, by `namespace/pod/container`. */
  readonly behind: ReadonlyMap<string, number>;
  /** No batch waits to be stored. */
  readonly idle: boolean;
}

interface Deleted {
  readonly container: TortureContainer;
  readonly file: FileTrack;
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
  readonly #journal: Pick<Journal, 'note'>;
  /** Records that need not be stored, by why. */
  readonly excused = new Map<string, number>();
  readonly #views = new Map<TortureContainer, View>();
  /** Deleted files that the agent must have open, or have read. */
  #held: Deleted[] = [];
  /** Those of them whose pod it need not know yet: it must hold them until the API has told it of the pod. */
  #unknown: Deleted[] = [];
  #life = 0;
  readonly #patience = new Patience();
  #running = false;
  #apiSince = 0;
  readonly owed: OwedGap[] = [];
  #untold: OwedGap[] = [];

  constructor(book: RecordBook, journal: Pick<Journal, 'note'>) {
    this.#book = book;
    this.#journal = journal;
  }

  get now(): number {
    return this.#book.now();
  }

  /** See Patience. */
  hadSince(time: number): number {
    return this.#patience.hadSince(time);
  }

  agentStarted(): void {
    this.#running = true;
    this.#life++;
    this.#patience.restart(this.now);
  }

  /** The agent was ended, or is about to be: what it had not stored and nobody else has is lost. */
  agentEnded(): void {
    this.#running = false;
    this.end();
    for (const { container, file } of [...this.#held, ...this.#unknown])
      this.#excuse(container, file, 'held when the agent ended');
    this.#held = [];
    this.#unknown = [];
  }

  /** The API forgets the container's pod, this moment: an agent that has not heard of it never will. */
  untold(container: TortureContainer): void {
    this.#learn();
    for (const { file } of this.#unknown.filter((one) => one.container === container))
      this.#excuse(container, file, 'never told');
    this.#unknown = this.#unknown.filter((one) => one.container !== container);
  }

  /** The run is over. */
  end(): void {
    if (this.#patience.hadSince(0) < TELL_MS) return;
    this.owed.push(...this.#untold.filter(({ life }) => life < this.#life));
    this.#untold = this.#untold.filter(({ life }) => life >= this.#life);
  }

  /** The offsets file is lost, while the agent is down. */
  stateLost(): void {
    for (const view of this.#views.values()) view.saved = false;
    this.#untold = [];
  }

  apiBroken(): void {
    this.#apiSince = Infinity;
  }
  apiHealed(): void {
    this.#apiSince = this.now;
  }

  /**
   * The agent was told that the pod's labels changed: what it does with the pod is not judged while they do not match,
   * and a while after.
   */
  relabelled(container: TortureContainer, selected: boolean): void {
    const view = this.#view(container);
    view.life = -1;
    view.readings = [];
    view.ignoreUntil = selected ? this.now + API_RECOVERS_MS : Infinity;
  }

  /** A pod of its name was there before: metrics name pods without their uid. */
  isNamesake(container: TortureContainer): void {
    this.#view(container).namesake = true;
  }

  /** What the agent said of all containers it follows. @param asked the time before it was asked. */
  scraped(asked: number, said: Said, containers: Iterable<TortureContainer>): void {
    // What it says after it was told to end does not count, nor what an earlier one had said.
    if (!this.#running || !this.#patience.answered(asked)) return;
    this.#learn();
    const gone = new Set(this.#held.map(({ container }) => container));
    for (const container of new Set([...containers, ...gone])) {
      const view = this.#view(container);
      if (asked < view.ignoreUntil || view.namesake) continue;
      const { namespace, pod, container: name } = container.target;
      let bytes = said.behind.get(`${namespace}/${pod}/${name}`);
      // A container that is let go has been read: so the agent says, and it must be true.
      if (bytes === undefined && gone.has(container) && view.life === this.#life) bytes = 0;
      if (bytes === undefined) continue;
      if (view.life !== this.#life) {
        view.life = this.#life;
        view.since = asked;
        view.readings = [];
      }
      view.saved ||= this.#patience.hadSince(view.since) >= SAVED_MS;
      this.#advance(view, said);
      const to = this.#patience.askedBefore(LOOK_MS);
      if (bytes === 0 && to !== undefined && to >= view.since)
        view.readings.push({ to, had: this.#patience.had });
    }
    this.#held = this.#held.filter(({ container, file }) => {
      const { storedTo } = this.#view(container);
      return !file.seqs.every((seq) => this.#book.wasFinishedBy(seq, storedTo));
    });
  }

  /** A file has been deleted, this moment. */
  deleted(container: TortureContainer, file: FileTrack): void {
    const known = this.#mustBeOpen(container, file);
    const open = known || this.#mustBeHeld(container, file);
    const { seqs, createdAt } = file;
    const { directory } = container.target;
    this.#journal.note('deleted', { directory, from: seqs[0], to: seqs.at(-1), createdAt, open, known });
    if (open) (known ? this.#held : this.#unknown).push({ container, file });
    else this.#excuse(container, file, this.#running ? 'deleted too soon' : 'deleted while down');
  }

  #mustBeOpen(container: TortureContainer, file: FileTrack): boolean {
    const view = this.#view(container);
    if (!this.#running) return false;
    let knownAt = view.since;
    if (view.life !== this.#life) {
      const { toldAt } = container;
      const tellable = container.createdAt - API_RECOVERS_MS;
      if (toldAt === undefined || this.#apiSince >= tellable || !this.#patience.answeredBy(tellable))
        return false;
      knownAt = Math.max(toldAt, view.ignoreUntil);
    }
    return this.#patience.hadSince(Math.max(file.createdAt, knownAt)) >= OPEN_MS;
  }

  /** Whether the agent must have opened it though it may not have heard of the pod. */
  #mustBeHeld(container: TortureContainer, file: FileTrack): boolean {
    if (!this.#running || container.toldAt === undefined || container.untold) return false;
    const relabelled = this.now < this.#view(container).ignoreUntil;
    return !relabelled && this.#patience.hadSince(file.createdAt) >= OPEN_MS;
  }

  /** Takes for known what the API has had the time to tell. */
  #learn(): void {
    const heard = this.now - API_RECOVERS_MS;
    if (this.#apiSince > heard || !this.#patience.answeredBy(heard)) return;
    const isKnown = ({ container: { toldAt = Infinity } }: Deleted) => toldAt <= heard;
    this.#held.push(...this.#unknown.filter(isKnown));
    this.#unknown = this.#unknown.filter((one) => !isKnown(one));
  }

  /** Notes what must be stored by now. */
  #advance(view: View, { idle }: Said): void {
    if (!idle) return;
    const { had } = this.#patience;
    const stored = view.readings.findLastIndex((reading) => had - reading.had >= STORE_MS);
    if (stored < 0) return;
    view.storedTo = Math.max(view.storedTo, view.readings[stored]!.to);
    view.readings.splice(0, stored + 1);
  }

  #excuse(container: TortureContainer, file: FileTrack, why: string): void {
    const view = this.#view(container);
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
    // Of a file that came while the agent was down, or right before it ended, nobody knows.
    const known = this.#patience.hadSince(file.createdAt) >= SAVED_MS + OPEN_MS;
    if (view.saved && known && view.life === this.#life) {
      this.#untold.push({
        container: directory.split('/').slice(-2).join('/'),
        seqs: lost,
        life: this.#life,
      });
    }
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
        namesake: false,
      };
      this.#views.set(container, view);
    }
    return view;
  }
}
