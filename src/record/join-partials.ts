import type { Claim, InFlight } from '../offsets/in-flight.ts';
import { type ByteSlice, copyOf, sliceOfAll, viewOf } from '../util/byte-slice.ts';
import type { DecodedLine, Stream } from './cri-line.ts';
import { FRAGMENT_BYTES, type PartialBudget, type PartialKeeper } from './partial-budget.ts';

/** One line of a file that is a part of a line of the container. */
interface Fragment {
  readonly claim: Claim;
  /** Where it begins in its file. */
  readonly start: number;
  /** Undefined once it is of a line that is too long. */
  content: Buffer | undefined;
}

/** The line of one stream that still lacks its end. */
interface Pending {
  fragments: Fragment[];
  /** Bytes of content that are kept. */
  length: number;
  /** What is kept of it is not too long yet; if it is, only the end is awaited, or another file. */
  keeping: boolean;
  /** It was taken as complete while it was idle; what may still come is its (empty) end. */
  readonly taken: boolean;
}

/** A line of the container, whole. */
export interface JoinedLine {
  /** Undefined where it is too long. */
  readonly content: ByteSlice | undefined;
  readonly claims: Claim[];
  /** Where its first fragment begins, in the file of its first claim. */
  readonly offset: number;
  /** The same without what the oldest of its files holds of it; undefined where one file holds all of it. */
  withoutOldest(): JoinedLine | undefined;
}

/**
 * Joins the fragments (`P … P F`) of a container's lines. Fragments of stdout and stderr interleave, so each
 * stream has its own state; a rotation may come between two fragments, so the state outlives the file.
 * Every fragment holds a claim until the record it became is settled: a restart begins at the first.
 */
export class PartialJoiner implements PartialKeeper {
  readonly #maxBytes: number;
  readonly #budget: PartialBudget;
  readonly #pending: Record<Stream, Pending | undefined> = { stdout: undefined, stderr: undefined };

  /** @param maxBytes longest joined line; what is longer is skipped as `too_long`, in flat memory. */
  constructor(maxBytes: number, budget: PartialBudget) {
    this.#maxBytes = maxBytes;
    this.#budget = budget;
  }

  /** Whether a full line of the stream is a line of its own. */
  isWhole({ stream, partial }: DecodedLine): boolean {
    return !partial && this.#pending[stream] === undefined;
  }

  /** Takes a fragment; returns the line that it completes. */
  add(line: DecodedLine, file: InFlight, start: number, end: number): JoinedLine | undefined {
    const { stream, partial } = line;
    const view = viewOf(line);
    let pending = this.#pending[stream];
    if (pending?.taken) {
      this.#pending[stream] = pending = undefined;
      if (!partial && view.toString('latin1').trim() === '') {
        // The end of a line that is on its way already.
        file.settle(file.claim(start, end), 'delivered');
        return undefined;
      }
    }
    pending ??= unbegun();
    this.#pending[stream] = partial ? pending : undefined;
    // The end of a line that is too long may have gone unseen with its file: another file may begin another line.
    pending.keeping ||= pending.fragments.at(-1)!.claim.window !== file;
    // A copy, since a few bytes would pin the piece that they were read with.
    const content = pending.keeping ? copyOf(view) : undefined;
    pending.fragments.push({ claim: file.claim(start, end), start, content });
    pending.length += content?.length ?? 0;
    if (pending.length > this.#maxBytes) dropOlderFiles(pending);
    if (pending.length > this.#maxBytes || !pending.keeping) dropAll(pending);
    this.#tellBudget();
    return partial ? undefined : joined(pending.fragments);
  }

  /** The lines that lack their end, without changing anything. */
  *unfinished(): Generator<{ stream: Stream; line: JoinedLine }> {
    for (const stream of ['stdout', 'stderr'] as const) {
      const pending = this.#pending[stream];
      if (pending?.taken === false) yield { stream, line: joined(pending.fragments) };
    }
  }

  /** The claims of the fragments that wait for the end of their line. */
  get waiting(): Claim[] {
    const { stdout, stderr } = this.#pending;
    return [...(stdout?.fragments ?? []), ...(stderr?.fragments ?? [])].map(({ claim }) => claim);
  }

  /** The unfinished line of the stream was taken as it is. */
  take(stream: Stream): void {
    this.#pending[stream] = { ...unbegun(), taken: true };
    this.#tellBudget();
  }

  /** No more fragments come: forgets all state. The lines that lack their end are the caller's to settle. */
  reset(): void {
    this.#pending.stdout = undefined;
    this.#pending.stderr = undefined;
    this.#tellBudget();
  }

  /** Whether the container may read on, going by what the lines that lack their end take of the common budget. */
  mayReadOn(): boolean {
    const { stdout, stderr } = this.#pending;
    return (stdout === undefined && stderr === undefined) || this.#budget.mayReadOn(this);
  }

  giveUp(): void {
    const { stdout, stderr } = this.#pending;
    const longer = (stdout?.length ?? 0) > (stderr?.length ?? 0) ? stdout : stderr;
    if (longer !== undefined) dropAll(longer);
    this.#tellBudget();
  }

  #tellBudget(): void {
    this.#budget.keeps(this, cost(this.#pending.stdout) + cost(this.#pending.stderr));
  }
}

const unbegun = (): Pending => ({ fragments: [], length: 0, keeping: true, taken: false });

function cost(pending: Pending | undefined): number {
  return pending === undefined ? 0 : pending.length + pending.fragments.length * FRAGMENT_BYTES;
}

/** What the newest file holds of the line may be a line of its own. */
function dropOlderFiles(pending: Pending): void {
  const newest = pending.fragments.at(-1)!.claim.window;
  drop(
    pending,
    pending.fragments.findIndex(({ claim }) => claim.window === newest),
  );
}

function dropAll(pending: Pending): void {
  drop(pending, pending.fragments.length);
  pending.keeping = false;
}

/**
 * Drops the content of the first fragments. Of a line that is too long only the first and the last claim of each
 * file are kept: a restart must begin at its begin, or it would take the rest, which may be short enough, for a line.
 */
function drop(pending: Pending, count: number): void {
  const dropped = pending.fragments.slice(0, count);
  for (const fragment of dropped) {
    pending.length -= fragment.content?.length ?? 0;
    fragment.content = undefined;
  }
  const outer = dropped.filter(({ claim }, i) => {
    const inner =
      dropped[i - 1]?.claim.window === claim.window && dropped[i + 1]?.claim.window === claim.window;
    if (inner) claim.window.settle(claim, 'too_long');
    return !inner;
  });
  pending.fragments = [...outer, ...pending.fragments.slice(count)];
}

function joined(fragments: readonly Fragment[]): JoinedLine {
  const claims = fragments.map(({ claim }) => claim);
  claims[0]?.window.tie(claims);
  return lineOf(fragments);
}

function lineOf(fragments: readonly Fragment[]): JoinedLine {
  const contents = fragments.flatMap(({ content }) => content ?? []);
  return {
    content: contents.length === fragments.length ? sliceOfAll(contents) : undefined,
    claims: fragments.map(({ claim }) => claim),
    offset: fragments[0]!.start,
    withoutOldest: () => {
      const next = fragments.findIndex(({ claim }) => claim.window !== fragments[0]!.claim.window);
      return next < 0 ? undefined : lineOf(fragments.slice(next));
    },
  };
}
