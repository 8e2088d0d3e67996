import type { GapReason } from '../offsets/offsets-file.ts';
import type { ContainerFiles } from './container-files.ts';
import type { Drain } from './drain.ts';
import type { FileEnds } from './file-ends.ts';
import type { FileTail, Piece } from './file-tail.ts';
import { goesOn, isOver } from './is-over.ts';
import type { LineSink } from './line-sink.ts';
import { compareNames } from './log-names.ts';
import type { Timing } from './timing.ts';

export interface ContainerReaderOptions {
  readonly files: ContainerFiles;
  readonly ends: FileEnds;
  readonly drain: Drain;
  readonly sink: LineSink;
  readonly timing: Timing;
  /** Lists the directory again at once. */
  readonly rescan: (now: number) => void;
  /** A file has turned out to be shorter than it was taken for. */
  readonly onShrunk: () => void;
  /** No look is needed before. */
  readonly lookAt: (time: number) => void;
  /** Nothing more is to be read, ever. */
  readonly onOver: () => void;
}

/** Reads one container's files, the oldest first, a piece at a time. All times as in `Pollable`. */
export class ContainerReader {
  readonly #options: ContainerReaderOptions;
  /** When something was last read; 0 for never. */
  lastData = 0;
  /** Why the last look or read failed, while that holds. */
  failing: string | undefined;
  /** No more is to be read than what only a descriptor holds. */
  stopping = false;
  #idleTold = true;
  #tornSince: number | undefined;

  constructor(options: ContainerReaderOptions) {
    this.#options = options;
  }

  /** The file that is being read. */
  get current(): FileTail | undefined {
    const { ordered, unopened } = this.#options.files;
    const file = ordered.find(({ finished, isOpen, parked }) => !finished && (isOpen || parked));
    const older = file !== undefined && unopened !== undefined && compareNames(unopened, file.entry) < 0;
    return older ? undefined : file;
  }

  /** A file that may be over waits for that to be decided. */
  get settling(): boolean {
    const { current } = this;
    return current !== undefined && (current.deleted || current !== this.#options.files.ordered.at(-1));
  }

  /** Tells the sink where nothing was read for a while. */
  tellIdle(now: number): void {
    if (this.#idleTold || now - this.lastData <= this.#options.timing.idle) return;
    this.#idleTold = true;
    this.#options.sink.idle();
  }

  /** Reads one piece. True if there may be more at once. @throws what reading throws. */
  read(now: number): boolean | Promise<boolean> {
    const file = this.current;
    if (this.stopping && file?.deleted !== true) {
      this.#options.onOver();
      return false;
    }
    if (file === undefined) return this.#maybeDrained(now);
    if (!this.#options.sink.mayReadOn()) return false;
    const piece = file.readPiece();
    if (typeof piece !== 'string') return piece.then((unzipped) => this.#took(unzipped, file, now));
    return this.#took(piece, file, now);
  }

  /** Records what is unread in a file as a gap, and goes on without it. */
  giveUp(file: FileTail, reason: GapReason): void {
    this.#tornSince = undefined;
    this.#options.ends.giveUp(file, reason);
  }

  #took(piece: Piece, file: FileTail, now: number): boolean {
    const { files, ends, rescan } = this.#options;
    if (piece === 'end') return this.#atEnd(file, now);
    if (piece === 'torn') return this.#torn(file, now);
    this.failing = undefined;
    if (piece === 'busy') return true;
    if (piece === 'shrunk') {
      this.#options.onShrunk();
      return ends.shrink(file);
    }
    if (piece === 'replaced') {
      files.lose(file);
      rescan(now);
      return true;
    }
    this.lastData = now;
    this.#idleTold = false;
    this.#tornSince = undefined;
    file.endSince = undefined;
    // What was written since the last look is left to the next.
    return file.moreSeen || this.settling;
  }

  /** Whether to go on with the next file; that this one is over is decided here and nowhere else. */
  #atEnd(file: FileTail, now: number): boolean {
    const { files, ends, drain, sink, timing } = this.#options;
    // There is more in it, or nobody knows.
    if (file.parked && (file.look() || file.outOfSight)) return false;
    if (file.position >= file.limit && drain.cuts(file, sink.withinRecord, now)) {
      file.limit = Infinity; // The next look sets it anew.
      return false;
    }
    file.endSince ??= now;
    const newer = files.ordered.slice(files.ordered.indexOf(file) + 1);
    const [next] = newer;
    const gone = file.deleted && (file.goneIn !== Infinity || files.openFailure !== undefined);
    const end = { file, newer, atEndFor: now - file.endSince, gone, stopping: this.stopping };
    if (!isOver(end, timing)) return this.#maybeDrained(now);
    this.#tornSince = undefined;
    const { generation } = file.entry;
    // One that cannot be opened yet is read before any that is newer.
    const waits = files.unopened?.generation === generation;
    ends.finish(file, waits || (next === undefined ? files.isNascent(generation) : goesOn(file, next)));
    return true;
  }

  /** Ends the reading where the container is drained. True if there may be more to read. */
  #maybeDrained(now: number): boolean {
    const { files, ends, drain, sink, onOver } = this.#options;
    if (!drain.over(now)) return false;
    const { current } = this;
    if (current !== undefined) {
      if (current.deleted || current.position < current.limit || current.entry.compressed) return false;
      ends.finish(current, false);
      return true;
    }
    if (files.nascent > 0) {
      files.endNascent();
      return true;
    }
    sink.end();
    onOver();
    return false;
  }

  /** A compressed file without its end: still being written by somebody, or damaged. */
  #torn(file: FileTail, now: number): boolean {
    const { timing, lookAt } = this.#options;
    this.#tornSince ??= now;
    lookAt(now + Math.min(1000, timing.torn));
    if (now - this.#tornSince < timing.torn) return false;
    this.giveUp(file, 'compressed_file_damaged');
    return true;
  }
}
