import type { Claim, InFlight } from '../offsets/in-flight.ts';
import { type ByteSlice, sliceOfAll, viewOf } from '../util/byte-slice.ts';
import type { DecodedLine, Stream } from './cri-line.ts';

/** The line of one stream that still lacks its end. */
interface Pending {
  /** Fragments so far; undefined once they are too long together: then only the end is awaited. */
  content: Buffer[] | undefined;
  length: number;
  claims: Claim[];
  /** Where each fragment begins, while `content` is kept. */
  offsets: number[];
  /** It was taken as complete while it was idle; what may still come is its (empty) end. */
  taken: boolean;
}

/** A line of the container, whole. */
export interface JoinedLine {
  readonly content: ByteSlice;
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
export class PartialJoiner {
  readonly #maxBytes: number;
  readonly #pending: Record<Stream, Pending | undefined> = { stdout: undefined, stderr: undefined };

  /** @param maxBytes longest joined line; what is longer is skipped as `too_long`, in flat memory. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether a full line of the stream is a line of its own. */
  isWhole({ stream, partial }: DecodedLine): boolean {
    return !partial && this.#pending[stream] === undefined;
  }

  /** Takes a fragment; returns the line that it completes. */
  add(fragment: DecodedLine, file: InFlight, start: number, end: number): JoinedLine | undefined {
    const { stream, partial } = fragment;
    const content = viewOf(fragment);
    let pending = this.#pending[stream];
    if (pending?.taken) {
      this.#pending[stream] = pending = undefined;
      if (!partial && content.toString('latin1').trim() === '') {
        // The end of a line that is on its way already.
        file.settle(file.claim(start, end), 'delivered');
        return undefined;
      }
    }
    pending ??= { content: [], length: 0, claims: [], offsets: [], taken: false };
    this.#pending[stream] = partial ? pending : undefined;
    pending.length += content.length;
    pending.claims.push(file.claim(start, end));
    if (pending.length > this.#maxBytes) {
      dropContent(pending);
      if (!partial) endTooLong(pending);
      return undefined;
    }
    pending.content!.push(content);
    pending.offsets.push(start);
    return partial ? undefined : joined(pending);
  }

  /** The lines that lack their end, without changing anything. */
  *unfinished(): Generator<{ stream: Stream; line: JoinedLine }> {
    for (const stream of ['stdout', 'stderr'] as const) {
      const pending = this.#pending[stream];
      if (pending?.content !== undefined && !pending.taken) yield { stream, line: joined(pending) };
    }
  }

  /** The unfinished line of the stream was taken as it is. */
  take(stream: Stream): void {
    this.#pending[stream] = { content: [], length: 0, claims: [], offsets: [], taken: true };
  }

  /** No more fragments come: forgets all state. */
  reset(): void {
    for (const pending of [this.#pending.stdout, this.#pending.stderr]) {
      if (pending !== undefined && pending.content === undefined) endTooLong(pending);
    }
    this.#pending.stdout = undefined;
    this.#pending.stderr = undefined;
  }
}

/**
 * Keeps of a line that is too long only the first and the last claim of each file: a restart must begin at its
 * begin, or it would take the rest, which may be short enough, for a line.
 */
function dropContent(pending: Pending): void {
  pending.content = undefined;
  const { claims } = pending;
  pending.claims = claims.filter((claim, i) => {
    const inner = claims[i - 1]?.window === claim.window && claims[i + 1]?.window === claim.window;
    if (inner) claim.window.settle(claim, 'too_long');
    return !inner;
  });
}

/** The end of a line that is too long, or of what there will ever be of it. */
function endTooLong({ claims }: Pending): void {
  claims[0]?.window.tie(claims);
  for (const claim of claims) claim.window.settle(claim, 'too_long');
}

function joined({ content, claims, offsets }: Pending): JoinedLine {
  claims[0]?.window.tie(claims);
  return fragmentsFrom(0, content!, claims, offsets);
}

function fragmentsFrom(
  first: number,
  content: readonly Buffer[],
  claims: readonly Claim[],
  offsets: readonly number[],
): JoinedLine {
  return {
    content: sliceOfAll(content.slice(first)),
    claims: claims.slice(first),
    offset: offsets[first]!,
    withoutOldest: () => {
      const next = claims.findIndex(({ window }, i) => i > first && window !== claims[first]!.window);
      return next < 0 ? undefined : fragmentsFrom(next, content, claims, offsets);
    },
  };
}
