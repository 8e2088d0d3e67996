import type { ContainerOffsets } from '../offsets/offset-store.ts';
import type { GapReason } from '../offsets/offsets-file.ts';
import type { ContainerFiles } from './container-files.ts';
import type { FileTail } from './file-tail.ts';
import type { LineSink } from './line-sink.ts';
import type { LogName } from './log-names.ts';

export interface FileEndsOptions {
  readonly files: ContainerFiles;
  readonly offsets: ContainerOffsets;
  readonly sink: LineSink;
  readonly onGap: (file: LogName, fileId: string, reason: GapReason, from: number, to: number | null) => void;
}

/** How a container's files end: read to their end, given up, lost, cut short; and how one goes on all the same. */
export class FileEnds {
  readonly #options: FileEndsOptions;

  constructor(options: FileEndsOptions) {
    this.#options = options;
  }

  /** All of it is read, and no more will come. @param continues the same run of the container goes on in a newer file. */
  finish(file: FileTail, continues: boolean): void {
    const { files, offsets, sink } = this.#options;
    file.finish();
    if (continues) sink.idle();
    else sink.end();
    this.#tellLost(file, file.lostEnd);
    offsets.seen(file.fileId, file.entry.name, file.position);
    offsets.finished(file.fileId, true);
    // Not before a listing has told that it is gone: its compressed twin may just have appeared.
    if (file.deleted && file.goneIn !== Infinity && !files.mayBeUnopened(file.entry)) files.forget(file);
    else if (file.entry.compressed) file.close();
  }

  /** It was finished, and is written on. */
  resume(file: FileTail): void {
    file.finished = false;
    file.endSince = undefined;
    this.#options.offsets.finished(file.fileId, false);
  }

  /** Records what is unread in a file as a gap, and goes on without it. */
  giveUp(file: FileTail, reason: GapReason): void {
    const { files, offsets, sink, onGap } = this.#options;
    const to = file.lost ? file.lostEnd : file.entry.compressed ? null : Math.min(file.stat.size, file.limit);
    onGap(file.entry, file.fileId, reason, file.taken, to);
    sink.end();
    if ((file.isOpen && !file.deleted) || files.mayBeUnopened(file.entry)) {
      // A name of it stays: it must not be taken for a new file.
      file.close();
      file.finished = true;
      offsets.finished(file.fileId, true);
    } else {
      files.forget(file);
    }
  }

  /** It was truncated to a part that was read: reading goes on from its new end. False while that must wait. */
  shrink(file: FileTail): boolean {
    this.#options.sink.end();
    if (!file.window.settled) return false;
    this.#tellLost(file, file.knownEnd);
    file.rewind();
    return true;
  }

  /** After a listing: of the files that are lost no other form was found, where none is open now. */
  forgetLost(): void {
    const { files, sink, onGap } = this.#options;
    for (const file of files.ordered) {
      if (!file.lost || file.isOpen || files.mayBeUnopened(file.entry)) continue;
      // Read to the end that was seen: nobody had seen what else there was.
      if (file.parked) onGap(file.entry, file.fileId, 'held_files_limit', file.taken, null);
      else this.#tellLost(file, file.lostEnd);
      sink.end();
      files.forget(file);
    }
  }

  /** At a stop: nobody can open a deleted file again, so one that was read to its end is over. */
  finishGone(): void {
    const { files, offsets } = this.#options;
    for (const file of files.ordered) {
      if (!file.isOpen || file.entry.compressed) continue;
      file.look();
      if (file.deleted && file.position === file.stat.size) offsets.finished(file.fileId, true);
    }
  }

  /** Bytes that were seen in a file and that no form of it holds any more. */
  #tellLost(file: FileTail, knownEnd: number): void {
    if (knownEnd > file.taken)
      this.#options.onGap(file.entry, file.fileId, 'truncated', file.taken, knownEnd);
    file.lostEnd = 0;
  }
}
