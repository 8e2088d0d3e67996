import type { ContainerTail } from './container-tail.ts';
import type { FileTail } from './file-tail.ts';

interface Held {
  readonly tail: ContainerTail;
  readonly file: FileTail;
}

/** The deleted files that are kept open because they are not read yet: their bytes stay on the disk. */
function heldFiles(tails: Iterable<ContainerTail>): Held[] {
  const held: Held[] = [];
  for (const tail of tails) {
    for (const file of tail.files.ordered) {
      if (file.isOpen && file.deleted && !file.finished) held.push({ tail, file });
    }
  }
  return held;
}

/**
 * Keeps the disk from filling with deleted files that the store's outage keeps us from reading: beyond the budget
 * the one deleted first is given up, and becomes a gap.
 *
 * @param budget in bytes.
 * @returns the bytes still held.
 */
export function keepWithinBudget(tails: Iterable<ContainerTail>, budget: number): number {
  const held = heldFiles(tails).sort((a, b) => a.file.deletedSince! - b.file.deletedSince!);
  let bytes = held.reduce((sum, { file }) => sum + file.stat.size, 0);
  for (const { tail, file } of held) {
    if (bytes <= budget) break;
    bytes -= file.stat.size;
    tail.giveUp(file, 'held_files_budget');
  }
  return bytes;
}
