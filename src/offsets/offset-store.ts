import { existsSync } from 'node:fs';
import { InFlight } from './in-flight.ts';
import { Ledger } from './ledger.ts';
import type { Gap, SavedContainer, SavedFile, SavedOffsets } from './offsets-file.ts';

/** At most so many gaps are kept; the metric counts them all. */
const MAX_GAPS = 1000;

/** From so many pods on that exclude containers, those are forgotten whose directory is not there. */
const MAX_EXCLUDED = 1000;

/** What is known of one file: its window once it was opened in this run, what was saved of it until then. */
interface KnownFile {
  window?: InFlight;
  saved: SavedFile;
  /** No name leads to it any more: forgotten once it is settled. */
  gone: boolean;
}

/** The offsets of one container's files. */
export class ContainerOffsets {
  readonly key: string;
  released = false;
  /** Whether the container is wanted is not known yet; and whether anything was saved of it before. */
  held: 'unknown' | 'saved' | undefined;
  readonly files = new Map<string, KnownFile>();
  readonly #touch: () => void;
  /** Of files that are swept. */
  readonly #retired = new Ledger();

  constructor(key: string, saved: SavedContainer | undefined, touch: () => void) {
    this.key = key;
    this.#touch = touch;
    this.released = saved?.released ?? false;
    for (const [fileId, file] of Object.entries(saved?.files ?? {})) {
      this.files.set(fileId, { saved: { ...file }, gone: false });
    }
  }

  /** The window of a file; its `committed` is where reading begins. The same object for the same file. */
  window(fileId: string): InFlight {
    const known = this.#known(fileId);
    known.gone = false;
    return (known.window ??= new InFlight(fileId, known.saved.offset, this.#touch));
  }

  /** What was saved or seen last of a file. */
  saved(fileId: string): Readonly<SavedFile> | undefined {
    return this.files.get(fileId)?.saved;
  }

  /** Notes under what name and with what size the file was seen. */
  seen(fileId: string, name: string, size: number): void {
    const { saved } = this.#known(fileId);
    if (saved.name === name && saved.size === size) return;
    saved.name = name;
    saved.size = size;
    this.#touch();
  }

  /** Everything in it is read and no more will be written; or, with false, it turned out to grow again. */
  finished(fileId: string, finished: boolean): void {
    const { saved } = this.#known(fileId);
    if (finished) saved.done = true;
    else delete saved.done;
    this.#touch();
  }

  /** No name leads to the file any more. */
  gone(fileId: string): void {
    this.#known(fileId).gone = true;
    this.#touch();
  }

  /** Whether an earlier run knew of a file that it had not read to its end, and that was not opened in this one. */
  get unread(): boolean {
    return this.files.values().some(({ window, saved }) => window === undefined && saved.done !== true);
  }

  /** Whether every line that was read in this run is settled. */
  get settled(): boolean {
    return this.files.values().every(({ window }) => window?.settled ?? true);
  }

  /** The account of its lines since it was followed. */
  ledger(): Ledger {
    const sum = new Ledger();
    sum.add(this.#retired);
    for (const { window } of this.files.values()) if (window !== undefined) sum.add(window.ledger);
    return sum;
  }

  /** Drops what is gone and settled. */
  sweep(): void {
    for (const [fileId, { window, gone }] of this.files) {
      if (!gone || window?.settled === false) continue;
      if (window !== undefined) this.#retired.add(window.ledger);
      this.files.delete(fileId);
    }
  }

  toSaved(): SavedContainer {
    const files: Record<string, SavedFile> = {};
    for (const [fileId, { window, saved }] of this.files) {
      const offset = window?.committed ?? saved.offset;
      files[fileId] = { ...saved, offset };
      // «Done» promises that nothing is left to read: not before all that was read is settled.
      if (window?.settled === false) delete files[fileId].done;
    }
    // The same of the container: a start that does not follow it would leave for good what was in flight.
    return this.released && this.settled ? { files, released: true } : { files };
  }

  #known(fileId: string): KnownFile {
    let known = this.files.get(fileId);
    if (known === undefined) {
      known = { saved: { offset: 0, name: '', size: 0 }, gone: false };
      this.files.set(fileId, known);
    }
    return known;
  }
}

/** All offsets of the node, in memory; `Committer` brings them to disk. */
export class OffsetStore {
  readonly containers = new Map<string, ContainerOffsets>();
  readonly gaps: Gap[];
  /** By pod directory: containers that the pod did not want to be followed when it was last told. */
  readonly #excluded: Map<string, readonly string[]>;
  /** When the offsets that this run began with were saved; undefined at a first start. */
  readonly savedAt: string | undefined;
  /** Names of log directories that are there and whose pods are not selected; of an earlier run at first. */
  unselected: () => readonly string[];
  /** Something has changed since the last snapshot. */
  dirty = false;
  readonly #retired = new Ledger();
  readonly #directoryExists: (key: string) => boolean;
  readonly #touch = () => {
    this.dirty = true;
  };

  /** @param directoryExists whether the log directory of a container (by its key) is still there. */
  constructor(saved: SavedOffsets | undefined, directoryExists: (key: string) => boolean) {
    this.savedAt = saved?.savedAt;
    this.gaps = saved?.gaps ?? [];
    this.unselected = () => saved?.unselected ?? [];
    this.#excluded = new Map(Object.entries(saved?.excluded ?? {}));
    this.#directoryExists = directoryExists;
    for (const [key, container] of Object.entries(saved?.containers ?? {})) {
      this.containers.set(key, new ContainerOffsets(key, container, this.#touch));
    }
  }

  /** The offsets of a container that is (again) followed. */
  follow(key: string): ContainerOffsets {
    let container = this.containers.get(key);
    if (container === undefined) {
      container = new ContainerOffsets(key, undefined, this.#touch);
      this.containers.set(key, container);
    }
    container.released = false;
    container.held = undefined;
    this.#touch();
    return container;
  }

  /** The offsets of a container that may turn out not to be wanted: until `follow` nothing new is saved of it. */
  hold(key: string): ContainerOffsets {
    const saved = this.containers.get(key);
    const container = saved ?? new ContainerOffsets(key, { files: {}, released: true }, this.#touch);
    container.held = saved === undefined ? 'unknown' : 'saved';
    this.containers.set(key, container);
    return container;
  }

  /** A held container is not wanted. */
  letGo(key: string): void {
    const container = this.containers.get(key);
    if (container?.held === 'unknown') this.containers.delete(key);
    else if (container !== undefined) container.held = undefined;
  }

  /** A container is let go. Its offsets stay until its lines are settled and its directory is gone. */
  release(key: string): void {
    const container = this.containers.get(key);
    if (container !== undefined) container.released = true;
    this.#touch();
  }

  /** The containers that were followed when the offsets were saved. */
  remembered(): string[] {
    return [...this.containers.values()].filter(({ released }) => !released).map(({ key }) => key);
  }

  /** The containers of this pod directory of which an earlier run left something unread, be they released or not. */
  unread(podDirectory: string): string[] {
    return [...this.containers.values()]
      .filter(({ key, unread }) => unread && key.startsWith(`${podDirectory}/`))
      .map(({ key }) => key.slice(podDirectory.length + 1));
  }

  /** Containers that this pod does not want to be followed; of a later run that is not told of the pod any more. */
  exclude(podDirectory: string, containers: readonly string[]): void {
    if (containers.length > 0) this.#excluded.set(podDirectory, containers);
    else if (!this.#excluded.delete(podDirectory)) return;
    this.#touch();
    if (this.#excluded.size <= MAX_EXCLUDED) return;
    for (const pod of this.#excluded.keys()) if (!this.#directoryExists(pod)) this.#excluded.delete(pod);
  }

  excluded(podDirectory: string): readonly string[] {
    return this.#excluded.get(podDirectory) ?? [];
  }

  addGap(gap: Gap): void {
    this.gaps.push(gap);
    if (this.gaps.length > MAX_GAPS) this.gaps.shift();
    this.#touch();
  }

  /** The account of the whole node since the start. */
  ledger(): Ledger {
    const sum = new Ledger();
    sum.add(this.#retired);
    for (const container of this.containers.values()) sum.add(container.ledger());
    return sum;
  }

  /** What is to be saved now. Forgets what is over. */
  snapshot(now: Date): SavedOffsets {
    this.dirty = false;
    const containers: Record<string, SavedContainer> = {};
    for (const [key, container] of this.containers) {
      if (container.held === 'unknown') continue;
      if (container.held === 'saved') {
        containers[key] = container.toSaved();
        continue;
      }
      container.sweep();
      if (container.released && container.settled && !this.#directoryExists(key)) {
        this.#retired.add(container.ledger());
        this.containers.delete(key);
      } else {
        containers[key] = container.toSaved();
      }
    }
    const unselected = this.unselected();
    return {
      version: 1,
      savedAt: now.toISOString(),
      containers,
      gaps: this.gaps,
      ...(unselected.length > 0 && { unselected }),
      ...(this.#excluded.size > 0 && { excluded: this.#excludedOf(Object.keys(containers)) }),
    };
  }

  #excludedOf(keys: readonly string[]): Record<string, readonly string[]> {
    const pods = new Set(keys.map((key) => key.split('/')[0]));
    return Object.fromEntries([...this.#excluded].filter(([pod]) => pods.has(pod)));
  }
}

/** For `OffsetStore`: whether a container's directory exists under POD_LOG_DIR. */
export const directoryExists = (podLogDir: string) => (key: string) => existsSync(`${podLogDir}/${key}`);
