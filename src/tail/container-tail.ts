import type { Logger } from 'pino';
import type { ContainerOffsets } from '../offsets/offset-store.ts';
import type { Gap, GapReason } from '../offsets/offsets-file.ts';
import type { Tail } from '../pods/tail.ts';
import { ContainerFiles, type ContainerFilesOptions } from './container-files.ts';
import { ContainerGaps } from './container-gaps.ts';
import { ContainerReader } from './container-reader.ts';
import { Drain } from './drain.ts';
import { FileEnds, type FileEndsOptions } from './file-ends.ts';
import type { FileTail } from './file-tail.ts';
import type { LineSink } from './line-sink.ts';
import { LookSchedule } from './look-schedule.ts';
import type { Pollable, ReadLoop } from './read-loop.ts';
import { RescanSchedule } from './rescan-schedule.ts';
import { SettledUntil } from './settled-until.ts';
import { TIMING, type Timing } from './timing.ts';
import { steadyNow } from '../util/steady-now.ts';
import { unreadSince } from './unread-since.ts';

/** A file is to be opened. */
export interface OpenWish {
  /** Who asks, and asks again until it may. */
  readonly who: object;
  /** Whether its container is known to be wanted. */
  readonly wanted: boolean;
  /** It holds nothing yet. */
  readonly empty: boolean;
}

export interface ContainerTailOptions extends Omit<
  ContainerFilesOptions,
  'tornAfter' | 'onUnreadable' | 'onNeverOpened' | 'onReplaced' | 'mayOpen'
> {
  readonly offsets: ContainerOffsets;
  readonly sink: LineSink;
  readonly loop: ReadLoop;
  readonly log: Logger;
  readonly timing?: Timing;
  /** Whether there is a descriptor to spend on one more file. */
  readonly mayOpen?: (wish: OpenWish) => boolean;
  /**
   * When a stop may take no longer: until then, deleted files that only our descriptors hold are read to their
   * end. Without it a stop is at once.
   */
  readonly stopBy?: AbortSignal;
  /** When the offsets that this run began with were saved. */
  readonly savedAt: string | undefined;
  /** Nothing can have been written before: see `SettledUntil`. */
  readonly since?: number;
  readonly onGap: (gap: Gap) => void;
  readonly onRescan: () => void;
  /** Made held: see MakeTailOptions. Its offsets are held too, until `onReleased`. */
  readonly held?: boolean;
  readonly onReleased?: () => void;
  /** What was read of a deleted file waits to be stored: were the agent killed now, it would be lost. */
  readonly onPerishable?: () => void;
  /** The directory cannot be read, and is tried again; told each time. */
  readonly onFailure?: (error: unknown) => void;
  /** The tail has ended and its descriptors are closed. */
  readonly onEnd?: () => void;
}

/**
 * Follows one container: its files in the order in which they were written, each to its end. It is driven by the
 * read loop, which asks it to look (cheap, never reads) and to read (one piece); both are synchronous in what
 * they decide, so its state needs no locks.
 */
export class ContainerTail implements Tail, Pollable {
  readonly #options: ContainerTailOptions;
  readonly files: ContainerFiles;
  readonly settledUntil: SettledUntil;
  readonly #timing: Timing;
  readonly #rescans: RescanSchedule;
  readonly #looks: LookSchedule;
  readonly #gaps: ContainerGaps;
  readonly #ends: FileEnds;
  readonly #drain: Drain;
  readonly #reader: ContainerReader;
  readonly #done = Promise.withResolvers<void>();
  /** Nothing more is read, whatever happens. */
  #over = false;
  #firstRescan = true;
  #held: boolean;

  constructor(options: ContainerTailOptions) {
    this.#options = options;
    this.#timing = options.timing ?? TIMING;
    this.#held = options.held ?? false;
    this.#looks = new LookSchedule(this.#timing);
    this.#gaps = new ContainerGaps({ ...options, held: this.#held });
    const tellGap: FileEndsOptions['onGap'] = ({ name: file }, fileId, reason, from, to) =>
      this.#gaps.tell({ file, fileId, reason, from, to }, this.lastDataAt);
    this.files = new ContainerFiles({
      ...options,
      mayOpen: (empty) => options.mayOpen?.({ who: this, wanted: !this.#held, empty }) ?? true,
      tornAfter: this.#timing.torn,
      onReplaced: () => this.settledUntil.forget(),
      onNeverOpened: (entry) => tellGap(entry, 'unknown', 'held_files_limit', 0, null),
      onUnreadable: (entry) => tellGap(entry, 'unknown', 'compressed_file_damaged', 0, null),
    });
    this.#ends = new FileEnds({ ...options, files: this.files, onGap: tellGap });
    this.#drain = new Drain(this.#timing, this.files);
    this.#reader = new ContainerReader({
      files: this.files,
      ends: this.#ends,
      drain: this.#drain,
      sink: options.sink,
      timing: this.#timing,
      rescan: (now) => this.#rescan(now),
      onShrunk: () => this.settledUntil.forget(),
      lookAt: (time) => (this.#looks.next = time),
      onOver: () => this.#end(),
    });
    this.#rescans = new RescanSchedule(this.#timing, () => this.files.changeTimes());
    const { offsets, sink, since = -Infinity } = options;
    this.settledUntil = new SettledUntil({ offsets, since, waiting: () => sink.waiting });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { loop, stopBy = signal } = this.#options;
    if (signal.aborted) return;
    const stop = () => {
      this.#reader.stopping = true;
      if (this.#held || this.#reader.current?.deleted !== true) this.#end();
    };
    const end = () => this.#end();
    signal.addEventListener('abort', stop, { once: true });
    stopBy.addEventListener('abort', end, { once: true });
    loop.add(this);
    await this.#done.promise;
    signal.removeEventListener('abort', stop);
    stopBy.removeEventListener('abort', end);
    await loop.remove(this);
    if (this.#held) {
      if (!this.#reader.stopping) this.settledUntil.drop();
    } else {
      // Its file may have gone by the next start.
      this.#options.sink.idle();
      this.#ends.finishGone();
      if (!this.#reader.stopping) this.settledUntil.end();
    }
    this.files.close();
    this.#options.onEnd?.();
  }

  drain(): void {
    this.#drain.ask();
    this.#lookNow();
  }

  resume(): boolean {
    if (this.#over) return false;
    this.#drain.cancel();
    // What is noted reaches only as far as was to be read.
    this.settledUntil.forget();
    this.rescan();
    return true;
  }

  rescan(): void {
    this.#rescans.soon();
    this.#lookNow();
  }

  #lookNow(): void {
    this.#looks.next = 0;
    this.#options.loop.lookNow();
  }

  open(): void {
    const now = steadyNow();
    try {
      if (this.#rescans.due(now)) this.#rescan(now);
    } catch (error) {
      this.#failed(error, now);
    }
  }

  /** Nobody knows yet whether the container is wanted. */
  get held(): boolean {
    return this.#held;
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#options.onReleased?.();
    this.#gaps.release();
    this.rescan();
  }

  letGo(): void {
    if (this.#held) this.#end();
  }

  get filesOpen(): number {
    return this.files.ordered.filter(({ isOpen }) => isOpen).length;
  }

  /** Bytes of its files that are not read yet. */
  get bytesBehind(): number {
    return this.files.ordered.reduce((sum, { behind }) => sum + behind, 0);
  }

  /** When the oldest byte that is not read was written: see `unreadSince`. */
  get unreadSince(): number | undefined {
    return unreadSince(this.files.ordered);
  }

  /** When something was last read, in milliseconds since 1970; undefined for never. */
  get lastDataAt(): number | undefined {
    return this.#reader.lastData === 0 ? undefined : this.#reader.lastData;
  }

  /** Why the container's files cannot be read just now. */
  get failure(): string | undefined {
    return this.#reader.failing ?? this.files.openFailure;
  }

  get nextLook(): number {
    return this.#looks.next;
  }

  get busy(): boolean {
    return this.#looks.busy;
  }

  look(now: number): boolean {
    if (!this.#looks.due(now, this.#options.loop, this.#reader.lastData)) return false;
    try {
      return this.#look(now) && !this.#held;
    } catch (error) {
      this.#failed(error, now);
      return false;
    }
  }

  read(now: number): boolean | Promise<boolean> {
    if (this.#held) return false;
    try {
      const more = this.#reader.read(now);
      return typeof more === 'boolean' ? more : more.catch((error: unknown) => this.#failed(error, now));
    } catch (error) {
      return this.#failed(error, now);
    }
  }

  #look(now: number): boolean {
    // Before the directory: what is moved out of one by copytruncate is in a name that the directory tells of then.
    this.files.lookAtNascent();
    if (this.files.emptyHasGrown && this.files.openFailure === undefined) this.#rescans.soon();
    if (this.#rescans.due(now)) this.#rescan(now);
    this.#drain.look(now);
    // Descriptors are short, maybe: none is kept open for comfort.
    const linger = this.files.openFailure === undefined ? this.#timing.linger : 0;
    let work = false;
    let perishable = false;
    for (const file of this.files.ordered) {
      if (file.isOpen && file.look()) {
        if (file.finished) this.#ends.resume(file);
        work = true;
      } else if (file.deleted && !file.window.settled) {
        perishable = true;
      }
      if (file.parked && this.files.openFailure === undefined && (file.look() || file.outOfSight))
        this.#rescans.soon();
      if (file.finished && file.isOpen && now - file.endSince! > linger) file.close();
      // Before it is taken as gone for good: its compressed twin may just have appeared.
      if (file.deleted && file.goneIn === Infinity) this.#rescans.soon();
    }
    if (perishable) this.#options.onPerishable?.();
    // Nothing is left to hold, nor can there be again.
    if (this.#held && this.files.directoryGone && this.files.open === 0) this.#end();
    this.#reader.tellIdle(now);
    const listedTo = Math.min(now, this.#rescans.listedTo);
    if (this.files.complete) this.settledUntil.note(listedTo, this.files.ordered);
    if (!work) this.#reader.failing = undefined;
    return work || this.#drain.begun || this.#reader.settling || this.#reader.stopping;
  }

  /** Records what is unread in a file as a gap, and goes on without it. */
  giveUp(file: FileTail, reason: GapReason): void {
    this.#reader.giveUp(file, reason);
  }

  #rescan(now: number): void {
    const done = this.#rescans.begin(now);
    this.files.rescan();
    this.#options.onRescan();
    const failed = this.files.openFailure !== undefined;
    done(failed);
    this.#ends.forgetLost();
    if (failed) return;
    if (this.#firstRescan && !this.#held) {
      this.#firstRescan = false;
      this.#gaps.tellMissing(now, (fileId) => this.files.has(fileId));
    }
  }

  #end(): void {
    this.#over = true;
    this.#done.resolve();
  }

  #failed(error: unknown, now: number): false {
    this.#reader.failing = (error as Error).message;
    this.#options.onFailure?.(error);
    this.#looks.next = now + this.#timing.failure;
    return false;
  }
}
