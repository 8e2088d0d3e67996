import type { Logger } from 'pino';
import type { ContainerOffsets } from '../offsets/offset-store.ts';
import type { Gap, GapReason } from '../offsets/offsets-file.ts';
import type { Tail } from '../pods/tail.ts';
import { ContainerFiles, type ContainerFilesOptions } from './container-files.ts';
import { ContainerGaps } from './container-gaps.ts';
import type { FileTail, Piece } from './file-tail.ts';
import { followsDirectly } from './follows-directly.ts';
import type { LineSink } from './line-sink.ts';
import { compareNames, type LogName } from './log-names.ts';
import { LookSchedule } from './look-schedule.ts';
import type { Pollable, ReadLoop } from './read-loop.ts';
import { RescanSchedule } from './rescan-schedule.ts';
import { TIMING, type Timing } from './timing.ts';
import { unreadSince } from './unread-since.ts';

export interface ContainerTailOptions extends Omit<ContainerFilesOptions, 'tornAfter' | 'onUnreadable'> {
  readonly offsets: ContainerOffsets;
  readonly sink: LineSink;
  readonly loop: ReadLoop;
  readonly log: Logger;
  readonly timing?: Timing;
  /**
   * When a stop may take no longer: until then, deleted files that only our descriptors hold are read to their
   * end. Without it a stop is at once.
   */
  readonly stopBy?: AbortSignal;
  /** When the offsets that this run began with were saved. */
  readonly savedAt: string | undefined;
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
  readonly #timing: Timing;
  readonly #rescans: RescanSchedule;
  readonly #looks: LookSchedule;
  readonly #gaps: ContainerGaps;
  #lastData = 0;
  #idleTold = true;
  #drainSince: number | undefined;
  #draining = false;
  #stopping = false;
  #firstRescan = true;
  #failing: string | undefined;
  #done = Promise.withResolvers<void>();
  #tornSince: number | undefined;
  #held: boolean;

  constructor(options: ContainerTailOptions) {
    this.#options = options;
    this.#timing = options.timing ?? TIMING;
    this.#held = options.held ?? false;
    this.#looks = new LookSchedule(this.#timing);
    this.#gaps = new ContainerGaps(options);
    this.files = new ContainerFiles({
      ...options,
      mayOpen: () => !this.#held || (options.mayOpen?.() ?? true),
      tornAfter: this.#timing.torn,
      onUnreadable: (entry) => this.#tellGap(entry, 'unknown', 'compressed_file_damaged', 0, null),
    });
    this.#rescans = new RescanSchedule(this.#timing, () => this.files.changeTimes());
  }

  async run(signal: AbortSignal): Promise<void> {
    const { loop, stopBy = signal } = this.#options;
    if (signal.aborted) return;
    const stop = () => {
      this.#stopping = true;
      if (this.#held || this.#current()?.deleted !== true) this.#done.resolve();
    };
    const end = () => this.#done.resolve();
    signal.addEventListener('abort', stop, { once: true });
    stopBy.addEventListener('abort', end, { once: true });
    loop.add(this);
    await this.#done.promise;
    signal.removeEventListener('abort', stop);
    stopBy.removeEventListener('abort', end);
    await loop.remove(this);
    if (!this.#held) {
      // Its file may have gone by the next start.
      this.#options.sink.idle();
      this.#finishGone();
    }
    this.files.close();
    this.#options.onEnd?.();
  }

  drain(): void {
    this.#draining = true;
    this.#lookNow();
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
    const now = Date.now();
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
    if (this.#held) this.#done.resolve();
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
    return this.#lastData === 0 ? undefined : this.#lastData;
  }

  /** Why the container's files cannot be read just now. */
  get failure(): string | undefined {
    return this.#failing ?? this.files.openFailure;
  }

  get nextLook(): number {
    return this.#looks.next;
  }

  look(now: number): boolean {
    if (!this.#looks.due(now, this.#options.loop.size, this.#lastData)) return false;
    try {
      return this.#look(now) && !this.#held;
    } catch (error) {
      this.#failed(error, now);
      return false;
    }
  }

  read(now: number): boolean | Promise<boolean> {
    try {
      const more = this.#read(now);
      return typeof more === 'boolean' ? more : more.catch((error: unknown) => this.#failed(error, now));
    } catch (error) {
      return this.#failed(error, now);
    }
  }

  #look(now: number): boolean {
    if (this.#draining) this.#drainSince ??= now;
    if (this.#rescans.due(now)) this.#rescan(now);
    if (this.#drainSince !== undefined && now - this.#drainSince >= this.#timing.drainGrace) this.#limit();
    // Descriptors are short, maybe: none is kept open for comfort.
    const linger = this.files.openFailure === undefined ? this.#timing.linger : 0;
    if (this.files.hasNascent) this.files.lookAtNascent();
    let work = false;
    let perishable = false;
    for (const file of this.files.ordered) {
      if (file.isOpen && file.look()) {
        if (file.finished) this.#resume(file);
        work = true;
      } else if (file.deleted && !file.window.settled) {
        perishable = true;
      }
      if (file.finished && file.isOpen && now - file.endSince! > linger) file.close();
      // Before it is taken as gone for good: its compressed twin may just have appeared.
      if (file.deleted && file.goneIn === Infinity) this.#rescans.soon();
    }
    if (perishable) this.#options.onPerishable?.();
    // Nothing is left to hold, nor can there be again.
    if (this.#held && this.files.directoryGone && this.files.open === 0) this.#done.resolve();
    if (!this.#idleTold && now - this.#lastData > this.#timing.idle) {
      this.#idleTold = true;
      this.#options.sink.idle();
    }
    if (!work) this.#failing = undefined;
    return work || this.#drainSince !== undefined || this.#settling() || this.#stopping;
  }

  /** A file that may be over waits for that to be decided. */
  #settling(): boolean {
    const current = this.#current();
    return current !== undefined && (current.deleted || current !== this.files.ordered.at(-1));
  }

  #read(now: number): boolean | Promise<boolean> {
    if (this.#held) return false;
    const file = this.#current();
    if (this.#stopping && file?.deleted !== true) {
      this.#done.resolve();
      return false;
    }
    if (file === undefined) return this.#maybeDrained(now);
    if (!this.#options.sink.mayReadOn()) return false;
    const piece = file.readPiece();
    if (typeof piece !== 'string') return piece.then((unzipped) => this.#took(unzipped, file, now));
    return this.#took(piece, file, now);
  }

  #took(piece: Piece, file: FileTail, now: number): boolean {
    if (piece === 'end') return this.#atEnd(file, now);
    if (piece === 'torn') return this.#torn(file, now);
    this.#failing = undefined;
    if (piece === 'busy') return true;
    if (piece === 'shrunk') return this.#shrunk(file);
    if (piece === 'replaced') {
      this.files.lose(file);
      this.#rescan(now);
      return true;
    }
    this.#lastData = now;
    this.#idleTold = false;
    this.#tornSince = undefined;
    file.endSince = undefined;
    // What was written since the last look is left to the next.
    return file.moreSeen || this.#settling();
  }

  /** Whether to go on with the next file; that this one is over is decided here and nowhere else. */
  #atEnd(file: FileTail, now: number): boolean {
    if (file.position >= file.limit && this.#cutsRecord(file, now)) {
      file.limit = Infinity; // The next look sets it anew.
      return false;
    }
    file.endSince ??= now;
    const atEndFor = now - file.endSince;
    const newer = this.files.ordered.slice(this.files.ordered.indexOf(file) + 1);
    const next = newer[0];
    const sameRun = next !== undefined && next.entry.generation === file.entry.generation;
    const settle = sameRun && file.endsWithinLine ? this.#timing.settleTorn : this.#timing.settle;
    const gone = file.deleted && (file.goneIn !== Infinity || this.files.openFailure !== undefined);
    const over =
      file.entry.compressed ||
      file.position >= file.limit ||
      newer.length > 1 ||
      (this.#stopping && file.deleted) ||
      ((next !== undefined || gone) && atEndFor >= settle);
    if (!over) return this.#maybeDrained(now);
    const continues = sameRun || (next === undefined && this.files.isNascent(file.entry.generation));
    this.#finish(file, continues && (next === undefined || followsDirectly(file, next)));
    return true;
  }

  /** @param continues the same run of the container goes on in a newer file. */
  #finish(file: FileTail, continues: boolean): void {
    const { offsets, sink } = this.#options;
    file.finish();
    if (continues) sink.idle();
    else sink.end();
    this.#tornSince = undefined;
    this.#tellLost(file, file.lostEnd);
    offsets.seen(file.fileId, file.entry.name, file.position);
    offsets.finished(file.fileId, true);
    // Not before a listing has told that it is gone: its compressed twin may just have appeared.
    if (file.deleted && file.goneIn !== Infinity) this.files.forget(file);
    else if (file.entry.compressed) file.close();
  }

  #resume(file: FileTail): void {
    file.finished = false;
    file.endSince = undefined;
    this.#options.offsets.finished(file.fileId, false);
  }

  /**
   * A container that is let go: for a grace it may still write. Then what its files hold is read, and no more:
   * a pod that is only deselected goes on writing.
   */
  #maybeDrained(now: number): boolean {
    if (this.#drainSince === undefined) return false;
    const { files } = this;
    if (!files.directoryGone && now - this.#drainSince < this.#timing.drainGrace) return false;
    if (files.openFailure !== undefined) return false;
    files.endNascent();
    this.#limit();
    const current = this.#current();
    if (current !== undefined) {
      if (current.deleted || current.position < current.limit || current.entry.compressed) return false;
      this.#finish(current, false);
      return true;
    }
    this.#options.sink.end();
    this.#done.resolve();
    return false;
  }

  /**
   * Whether the end of a drain comes between two lines of one record. Its end would be no record to a later tail,
   * should the container be followed again: it is waited for, but not for ever.
   */
  #cutsRecord(file: FileTail, now: number): boolean {
    const { drainGrace, drainCut } = this.#timing;
    const inTime = now - this.#drainSince! < drainGrace + drainCut;
    return inTime && this.#options.sink.withinRecord && file.entry.live && !this.files.directoryGone;
  }

  /** What the files hold now is the last that is read of them. */
  #limit(): void {
    for (const file of this.files.ordered) {
      if (file.limit === Infinity && !file.deleted && !file.entry.compressed) file.limit = file.stat.size;
    }
  }

  /** At a stop: nobody can open a deleted file again, so one that was read to its end is over. */
  #finishGone(): void {
    for (const file of this.files.ordered) {
      if (!file.isOpen || file.entry.compressed) continue;
      file.look();
      if (file.deleted && file.position === file.stat.size) this.#options.offsets.finished(file.fileId, true);
    }
  }

  /** A compressed file without its end: still being written by somebody, or damaged. */
  #torn(file: FileTail, now: number): boolean {
    this.#tornSince ??= now;
    this.#looks.next = now + Math.min(1000, this.#timing.torn);
    if (now - this.#tornSince < this.#timing.torn) return false;
    this.giveUp(file, 'compressed_file_damaged');
    return true;
  }

  /** A file was truncated to a part that was read: reading goes on from its new end. */
  #shrunk(file: FileTail): boolean {
    this.#options.sink.end();
    if (!file.window.settled) return false;
    this.#tellLost(file, file.knownEnd);
    file.rewind();
    return true;
  }

  /** Records what is unread in a file as a gap, and goes on without it. */
  giveUp(file: FileTail, reason: GapReason): void {
    const { offsets, sink } = this.#options;
    const to = file.lost ? file.lostEnd : file.entry.compressed ? null : Math.min(file.stat.size, file.limit);
    this.#tellGap(file.entry, file.fileId, reason, file.taken, to);
    sink.end();
    this.#tornSince = undefined;
    if (file.isOpen && !file.deleted) {
      // Its name stays: it must not be taken for a new file.
      file.close();
      file.finished = true;
      offsets.finished(file.fileId, true);
    } else {
      this.files.forget(file);
    }
  }

  /** Bytes that were seen in a file and that no form of it holds any more. */
  #tellLost(file: FileTail, knownEnd: number): void {
    if (knownEnd > file.taken) this.#tellGap(file.entry, file.fileId, 'truncated', file.taken, knownEnd);
    file.lostEnd = 0;
  }

  #tellGap({ name }: LogName, fileId: string, reason: GapReason, from: number, to: number | null): void {
    this.#gaps.tell({ file: name, fileId, reason, from, to }, this.#lastData, this.#held);
  }

  #current(): FileTail | undefined {
    const file = this.files.ordered.find(({ finished, isOpen }) => !finished && isOpen);
    const { unopened } = this.files;
    const older = file !== undefined && unopened !== undefined && compareNames(unopened, file.entry) < 0;
    return older ? undefined : file;
  }

  #rescan(now: number): void {
    const done = this.#rescans.begin(now);
    this.files.rescan();
    this.#options.onRescan();
    const failed = this.files.openFailure !== undefined;
    done(failed);
    if (failed) return;
    for (const file of this.files.ordered) {
      if (!file.lost || file.isOpen) continue;
      // No other form of it was found. Read to the end that was seen: nobody had seen what else there was.
      this.#tellLost(file, file.lostEnd);
      this.#options.sink.end();
      this.files.forget(file);
    }
    if (this.#firstRescan && !this.#held) {
      this.#firstRescan = false;
      this.#gaps.tellMissing(now);
    }
  }

  #failed(error: unknown, now: number): false {
    this.#failing = (error as Error).message;
    this.#options.onFailure?.(error);
    this.#looks.next = now + this.#timing.failure;
    return false;
  }
}
