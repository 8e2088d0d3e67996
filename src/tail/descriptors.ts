import { readFileSync } from 'node:fs';
import { steadyNow } from '../util/steady-now.ts';
import type { ContainerTail, OpenWish } from './container-tail.ts';
import type { FileTail } from './file-tail.ts';
import { Turns } from './turns.ts';

export interface DescriptorLimits {
  /** Files of containers that are not known to be wanted. */
  readonly unknown: number;
  /** All log files. */
  readonly files: number;
}

/** One that is read to its end gives its descriptor to another after so long, any other after so long, in milliseconds. */
const TURN_AT_END_MS = 100;
const TURN_MS = 1_000;

/**
 * Shares the descriptors among the log files. Where there are more files than that, those that wait longest come
 * first, and others are closed for them: first those in which nothing is left to read, then those that have had their
 * turn. A deleted file is never closed: nothing else leads to it.
 */
export class Descriptors {
  readonly #limits: DescriptorLimits;
  readonly #turns = new Turns<object>();
  /** Files that are open, and those of them whose containers are not known to be wanted. */
  #open = 0;
  #unknown = 0;

  constructor(limits: DescriptorLimits) {
    this.#limits = limits;
  }

  /** Whether one more file may be opened. */
  readonly mayOpen = ({ who, wanted, empty }: OpenWish): boolean => {
    const free = this.#limits.files - this.#open;
    const now = steadyNow();
    if (!wanted && this.#unknown >= this.#limits.unknown) return false;
    // What holds nothing waits for nothing.
    const may = empty ? free > this.#turns.waiting(now) : this.#turns.mayTake(who, free, now);
    if (may && !empty) this.#took(wanted);
    return may;
  };

  /** To be called often: `mayOpen` counts from here on. */
  share(tails: () => Iterable<ContainerTail>): void {
    this.#open = 0;
    this.#unknown = 0;
    for (const { held, files } of tails()) {
      const { open } = files;
      this.#open += open;
      if (held) this.#unknown += open;
    }
    const now = steadyNow();
    const wanted = this.#turns.waiting(now) - (this.#limits.files - this.#open);
    if (wanted > 0) this.#open -= makeRoom([...tails()], wanted, now);
  }

  #took(wanted: boolean): void {
    this.#open++;
    if (!wanted) this.#unknown++;
  }
}

/** Closes so many files for the sake of others, as far as it can. Returns how many it closed. */
function makeRoom(tails: readonly ContainerTail[], wanted: number, now: number): number {
  let closed = 0;
  for (const { files } of tails) if (closed < wanted) closed += files.closeEmpty();
  for (const file of inTurn(tails, now).slice(0, Math.max(0, wanted - closed))) {
    file.park();
    closed++;
  }
  return closed;
}

/** The files that can be closed for the sake of others, the first to go first. */
function inTurn(tails: readonly ContainerTail[], now: number): FileTail[] {
  const files = tails.flatMap(({ held, files: { ordered } }) =>
    held ? [] : ordered.filter(({ isOpen, deleted, entry }) => isOpen && !deleted && !entry.compressed),
  );
  return files
    .filter((file) => now - file.openSince >= (file.moreSeen ? TURN_MS : TURN_AT_END_MS))
    .toSorted((a, b) => Number(a.moreSeen) - Number(b.moreSeen) || a.openSince - b.openSince);
}

/** The rest of the agent needs so many: modules that are loaded when they are needed, sockets, its own files. */
const RESERVED = 64;

/**
 * How many descriptors may be spent on log files: all but a reserve, and of those a quarter of all, 2,000 at most, on
 * containers that are not known to be wanted.
 */
export function descriptorLimits(): DescriptorLimits {
  const limit = softLimit();
  return {
    unknown: Math.min(2_000, Math.floor(limit / 4)),
    files: Math.max(Math.floor(limit / 4), limit - RESERVED),
  };
}

function softLimit(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return Number(soft ?? 4_000);
  } catch {
    return 4_000; // No Linux: a laptop.
  }
}
