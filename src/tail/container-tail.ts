import { statSync } from 'node:fs';
import type { Logger } from 'pino';
import type { ContainerOffsets } from '../offsets/offset-store.ts';
import type { Gap } from '../offsets/offsets-file.ts';
import type { Tail } from '../pods/tail.ts';
import { ContainerFiles, type ContainerFilesOptions } from './container-files.ts';
import type { FileTail } from './file-tail.ts';
import type { LineSink } from './line-sink.ts';
import type { Pollable, ReadLoop } from './read-loop.ts';

/** Polled so often while the container writes, and so often while it is quiet, in milliseconds. */
const BUSY_LOOK_MS = 50;
const QUIET_LOOK_MS = 250;
/** A container that wrote nothing for so long is quiet. */
const QUIET_AFTER_MS = 10_000;
/** The directory's own time is looked at so often, and the directory is listed at least so often. */
const DIRECTORY_LOOK_MS = 100;
const RESCAN_MS = 10_000;
/** A directory changed so shortly before it was listed may change again without a new time (kernel tick: 4 ms). */
const RACY_MS = 50;
/**
 * After a rotation the runtime may write to the renamed file for a moment, even when the new one is there. So
 * long a file must have been at its end, with a newer one beside it, before reading goes on in that.
 */
const ROTATION_SETTLE_MS = 500;
/** A file that was read to its end stays open for so long, should the runtime still write to it. */
const LINGER_MS = 15_000;
/** After so long without a line, a record that lacks only an end is taken. */
const IDLE_MS = 1_000;
/** A compressed file that ends too early is given up after so long. */
const TORN_MS = 60_000;
/** A pod that is deleted may still write its last lines for so long. */
const DRAIN_GRACE_MS = 2_000;
const ERROR_PAUSE_MS = 5_000;

export interface ContainerTailOptions extends Omit<
  ContainerFilesOptions,
  'offsets' | 'sink' | 'log' | 'buffer'
> {
  readonly offsets: ContainerOffsets;
  readonly sink: LineSink;
  readonly loop: ReadLoop;
  readonly log: Logger;
  /** When the offsets that this run began with were saved. */
  readonly savedAt: string | undefined;
  readonly onGap: (gap: Gap) => void;
  readonly onRescan: () => void;
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
  #nextLook = 0;
  #nextDirectoryLook = 0;
  #nextRescan = 0;
  #directoryTime = -1;
  #lastData = 0;
  #idleTold = true;
  #drainSince: number | undefined;
  #draining = false;
  #firstRescan = true;
  #failing: string | undefined;
  #done = Promise.withResolvers<void>();
  #tornSince: number | undefined;

  constructor(options: ContainerTailOptions) {
    this.#options = options;
    this.files = new ContainerFiles({ ...options, buffer: options.loop.buffer });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { loop } = this.#options;
    const stop = () => this.#done.resolve();
    if (signal.aborted) return;
    signal.addEventListener('abort', stop, { once: true });
    loop.add(this);
    await this.#done.promise;
    signal.removeEventListener('abort', stop);
    await loop.remove(this);
    this.files.close();
    this.#options.onEnd?.();
  }

  drain(): void {
    this.#draining = true;
  }

  rescan(): void {
    this.#nextRescan = 0;
    this.#nextLook = 0;
  }

  get filesOpen(): number {
    return this.files.ordered.filter(({ isOpen }) => isOpen).length;
  }

  /** Bytes of its files that are not read yet. */
  get bytesBehind(): number {
    return this.files.ordered.reduce((sum, { behind }) => sum + behind, 0);
  }

  /** Why the container's files cannot be read just now. */
  get failure(): string | undefined {
    return this.#failing ?? this.files.openFailure;
  }

  look(now: number): boolean {
    if (now < this.#nextLook) return false;
    this.#nextLook = now + (now - this.#lastData < QUIET_AFTER_MS ? BUSY_LOOK_MS : QUIET_LOOK_MS);
    try {
      return this.#look(now);
    } catch (error) {
      this.#failed(error, now);
      return false;
    }
  }

  async read(now: number): Promise<boolean> {
    try {
      return await this.#read(now);
    } catch (error) {
      this.#failed(error, now);
      return false;
    }
  }

  #look(now: number): boolean {
    if (this.#draining) this.#drainSince ??= now;
    if (this.#rescanDue(now)) this.#rescan(now);
    if (this.#drainSince !== undefined && now - this.#drainSince >= DRAIN_GRACE_MS) this.#limit();
    if (this.files.hasNascent) this.files.lookAtNascent();
    let work = false;
    for (const file of this.files.ordered) {
      if (file.isOpen && file.look()) {
        if (file.finished) this.#resume(file);
        work = true;
      } else if (file.finished && file.isOpen && now - file.endSince! > LINGER_MS) {
        file.close();
      }
    }
    if (!this.#idleTold && now - this.#lastData > IDLE_MS) {
      this.#idleTold = true;
      this.#options.sink.idle();
    }
    this.#failing = undefined;
    return work || this.#drainSince !== undefined || this.#settling();
  }

  /** A file that may be over waits for that to be decided. */
  #settling(): boolean {
    const current = this.#current();
    return current !== undefined && (current.deleted || current !== this.files.ordered.at(-1));
  }

  async #read(now: number): Promise<boolean> {
    const file = this.#current();
    if (file === undefined) return this.#maybeDrained(now);
    const piece = await file.readPiece();
    if (piece === 'end') return this.#atEnd(file, now);
    if (piece === 'torn') return this.#torn(file, now);
    if (piece === 'replaced') {
      this.files.lose(file);
      this.#rescan(now);
      return true;
    }
    this.#lastData = now;
    this.#idleTold = false;
    this.#tornSince = undefined;
    file.endSince = undefined;
    return true;
  }

  /** Whether to go on with the next file; that this one is over is decided here and nowhere else. */
  #atEnd(file: FileTail, now: number): boolean {
    file.endSince ??= now;
    const atEndFor = now - file.endSince;
    const newer = this.files.ordered.slice(this.files.ordered.indexOf(file) + 1);
    const next = newer[0];
    const over =
      file.entry.compressed ||
      file.position >= file.limit ||
      newer.length > 1 ||
      ((next !== undefined || file.deleted) && atEndFor >= ROTATION_SETTLE_MS);
    if (!over) return this.#maybeDrained(now);
    this.#finish(file, next !== undefined && next.entry.generation === file.entry.generation);
    return true;
  }

  /** @param continues the same run of the container goes on in a newer file. */
  #finish(file: FileTail, continues: boolean): void {
    const { offsets, sink } = this.#options;
    file.finish();
    if (!continues) sink.end();
    offsets.seen(file.fileId, file.entry.name, file.position);
    offsets.finished(file.fileId, true);
    if (file.deleted) this.files.forget(file);
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
    if (!files.directoryGone && now - this.#drainSince < DRAIN_GRACE_MS) return false;
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

  /** What the files hold now is the last that is read of them. */
  #limit(): void {
    for (const file of this.files.ordered) {
      if (file.limit === Infinity && !file.deleted && !file.entry.compressed) file.limit = file.stat.size;
    }
  }

  /** A compressed file without its end: still being written by somebody, or damaged. */
  #torn(file: FileTail, now: number): boolean {
    this.#tornSince ??= now;
    this.#nextLook = now + 1000;
    if (now - this.#tornSince < TORN_MS) return false;
    this.giveUp(file, 'compressed_file_damaged', now);
    return true;
  }

  /** Records what is unread in a file as a gap, and goes on without it. */
  giveUp(file: FileTail, reason: string, now: number): void {
    const { offsets, sink, onGap } = this.#options;
    const { taken } = file;
    const to = file.lost ? file.lostEnd : file.entry.compressed ? null : Math.min(file.stat.size, file.limit);
    onGap({
      container: offsets.key,
      file: file.entry.name,
      fileId: file.fileId,
      reason,
      from: taken,
      to,
      since: this.#lastData === 0 ? null : new Date(this.#lastData).toISOString(),
      until: new Date(now).toISOString(),
    });
    sink.end();
    this.files.forget(file);
  }

  #current(): FileTail | undefined {
    return this.files.ordered.find(({ finished, isOpen }) => !finished && isOpen);
  }

  #rescanDue(now: number): boolean {
    if (now >= this.#nextRescan) return true;
    if (now < this.#nextDirectoryLook) return false;
    this.#nextDirectoryLook = now + DIRECTORY_LOOK_MS;
    const time = statSync(this.#options.directory, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    return time !== this.#directoryTime || (this.files.directoryGone && time !== 0);
  }

  #rescan(now: number): void {
    const time = statSync(this.#options.directory, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const racy = Date.now() - time < RACY_MS;
    this.files.rescan();
    this.#options.onRescan();
    this.#directoryTime = racy ? -1 : time;
    this.#nextRescan = now + (this.files.openFailure === undefined ? RESCAN_MS : 1000);
    for (const file of this.files.ordered) {
      if (!file.lost || file.isOpen) continue;
      // Read to the end that was seen: what was truncated away, if anything, nobody had seen.
      if (file.lostEnd <= file.taken) this.#finishLost(file);
      else this.giveUp(file, 'truncated', now);
    }
    if (this.#firstRescan && this.files.openFailure === undefined) {
      this.#firstRescan = false;
      this.#tellMissing(now);
    }
  }

  #finishLost(file: FileTail): void {
    this.#options.sink.end();
    this.files.forget(file);
  }

  /** Files that the offsets know and that are not there any more: what they held beyond is lost. */
  #tellMissing(now: number): void {
    const { offsets, onGap, savedAt } = this.#options;
    for (const [fileId, { window, saved }] of offsets.files) {
      if (window !== undefined) continue;
      if (saved.done !== true) {
        onGap({
          container: offsets.key,
          file: saved.name,
          fileId,
          reason: 'removed_while_down',
          from: saved.offset,
          to: null,
          since: savedAt ?? null,
          until: new Date(now).toISOString(),
        });
      }
      offsets.gone(fileId);
    }
  }

  #failed(error: unknown, now: number): void {
    const message = (error as Error).message;
    if (this.#failing !== message) {
      this.#options.log.error(
        { err: error, directory: this.#options.directory },
        'A log directory cannot be read; it is tried again.',
      );
    }
    this.#failing = message;
    this.#nextLook = now + ERROR_PAUSE_MS;
  }
}
