import { type FileIndexes, millisOf, type Part } from './file-index.ts';
import { fileLines, finderOf, type Found, placeId } from './file-lines.ts';
import type { Source } from './file-sources.ts';
import { Latest } from './latest.ts';
import { Smallest } from './smallest.ts';
import { widened } from './span.ts';
import { comparePositions, compareUnixNano, type Position } from './stored-record.ts';
import { isWithin, type ReadOptions } from './trace-reader.ts';
import type { Span } from './trace-state.ts';

/** Where a record of a trace stands; in which file, by its inode. */
export type Place = Found & Position & { readonly ino: bigint };

export type Wanted = Pick<ReadOptions, 'after' | 'since' | 'until'> & { readonly traceId: string };

/** Places in order: from the one behind `after` on, as many as are kept at once. */
interface Chunk {
  /** What it is of: the trace, the files and up to where, the times. */
  readonly of: string;
  readonly after: Position | undefined;
  readonly places: readonly Place[];
  /** Nothing comes behind them. */
  readonly last: boolean;
}

/** Chunks that are kept for who asks for the next page, where the reader lives on: about 15 MB each. */
const MOST_CHUNKS = 2;
const MOST_SPANS = 64;

/** A part of one of the files. */
type SourcePart = Part & { readonly source: Source };

/** Finds where the records of a trace stand in files, in order, without keeping more than a bound. */
export class FilePlaces {
  readonly #mostPlaces: number;
  readonly #indexes: FileIndexes | undefined;
  readonly #spans = new Latest<string, Span>(MOST_SPANS);
  #chunks: readonly Chunk[] = [];

  /** @param options.indexes where the reader lives on: then they are kept, and the last chunks too. */
  constructor({ mostPlaces, indexes }: { mostPlaces: number; indexes: FileIndexes | undefined }) {
    this.#mostPlaces = mostPlaces;
    this.#indexes = indexes;
  }

  /** The first places of those that are wanted, in order; `last` where there are no more. */
  async first(
    sources: readonly Source[],
    wanted: Wanted,
    signal: AbortSignal,
  ): Promise<{ readonly places: readonly Place[]; readonly last: boolean }> {
    const { traceId, after, since, until } = wanted;
    const whole = momentOf(sources, traceId);
    const of = JSON.stringify([whole, since ?? '', until ?? '']);
    const kept = this.#chunks.find((chunk) => chunk.of === of && holdsBehind(chunk, after));
    if (kept !== undefined) return { places: behind(kept.places, after), last: kept.last };
    const places = new Smallest<Place>(this.#mostPlaces, comparePositions);
    for (const part of await this.#partsOf(sources, traceId, signal)) {
      const largest = places.largest();
      // The parts that follow begin no earlier.
      if (largest !== undefined && part.firstMs > millisOf(largest.unixNano)) break;
      if (until !== undefined && part.firstMs > millisOf(until)) break;
      if (part.lastMs < millisOf(latest(since, after?.unixNano))) continue;
      for await (const place of placesIn(part, traceId, signal)) {
        if (!isWithin(place.unixNano, wanted)) continue;
        if (after === undefined || comparePositions(place, after) > 0) places.add(place);
      }
    }
    const sorted = places.sorted();
    const chunk = { of, after, places: sorted, last: sorted.length < this.#mostPlaces };
    if (this.#mayKeep(sources)) this.#chunks = [chunk, ...this.#chunks].slice(0, MOST_CHUNKS);
    return chunk;
  }

  /**
   * The first and the last time of a trace; undefined where it has no records. Looked for from both ends: of a file
   * that is in order of time, more or less, most need not be read.
   */
  async span(sources: readonly Source[], traceId: string, signal: AbortSignal): Promise<Span | undefined> {
    const of = momentOf(sources, traceId);
    const kept = this.#spans.get(of);
    if (kept !== undefined) return kept;
    let span: Span | undefined;
    const fromBegin = await this.#partsOf(sources, traceId, signal);
    const read = new Set<SourcePart>();
    const look = async (part: SourcePart): Promise<void> => {
      if (read.has(part)) return;
      read.add(part);
      for await (const { unixNano } of placesIn(part, traceId, signal)) span = widened(span, unixNano);
    };
    for (const part of fromBegin) {
      if (span !== undefined && part.firstMs > millisOf(span.first)) break;
      await look(part);
    }
    for (const part of fromBegin.toSorted((a, b) => b.lastMs - a.lastMs)) {
      if (span !== undefined && part.lastMs < millisOf(span.last)) break;
      await look(part);
    }
    if (span !== undefined && this.#mayKeep(sources)) this.#spans.set(of, span);
    return span;
  }

  /** The temporary file of another reading has another inode, and that of this one may be another file's then. */
  #mayKeep(sources: readonly Source[]): boolean {
    return this.#indexes !== undefined && !sources.some(({ temporary }) => temporary);
  }

  /** Whether a file has anything of a trace. */
  async any(source: Source, traceId: string, signal: AbortSignal): Promise<boolean> {
    for (const part of await this.#parts(source, traceId, signal)) {
      for await (const _ of placesIn(part, traceId, signal)) return true;
    }
    return false;
  }

  /** The parts of all files that may hold something of a trace, those first that may begin first. */
  async #partsOf(
    sources: readonly Source[],
    traceId: string,
    signal: AbortSignal,
  ): Promise<readonly SourcePart[]> {
    const parts: SourcePart[] = [];
    for (const source of sources) parts.push(...(await this.#parts(source, traceId, signal)));
    return parts.sort((a, b) => a.firstMs - b.firstMs);
  }

  async #parts(source: Source, traceId: string, signal: AbortSignal): Promise<readonly SourcePart[]> {
    const { file, ino, to, temporary } = source;
    if (this.#indexes === undefined || temporary)
      return [{ source, from: 0, to, firstMs: -Infinity, lastMs: Infinity }];
    const parts = await this.#indexes.of(ino).parts(file, { to, traceId }, signal);
    return parts.map((part) => ({ ...part, source }));
  }
}

/** All places of a trace in a part of a file, in its order. */
async function* placesIn(
  part: SourcePart,
  traceId: string,
  signal: AbortSignal,
): AsyncGenerator<Place, void> {
  const find = finderOf(traceId);
  const { file, ino } = part.source;
  for await (const lines of fileLines(file, part, signal)) {
    for (const found of find(lines)) yield { ...found, id: found.id ?? placeId(found.offset), ino };
  }
}

/** The later of two times; 0 where there is none. */
function latest(...times: (string | undefined)[]): string {
  return times.reduce<string>(
    (last, time) => (time !== undefined && compareUnixNano(time, last) > 0 ? time : last),
    '0',
  );
}

/** Which files, and up to where: what was read of them is the same each time. */
function momentOf(sources: readonly Source[], traceId: string): string {
  return JSON.stringify([traceId, sources.map(({ ino, to }) => `${ino}-${to}`)]);
}

function holdsBehind({ after: begin, places, last }: Chunk, after: Position | undefined): boolean {
  if (begin !== undefined && (after === undefined || comparePositions(after, begin) < 0)) return false;
  const end = places.at(-1);
  return last || (end !== undefined && (after === undefined || comparePositions(after, end) < 0));
}

function behind(places: readonly Place[], after: Position | undefined): readonly Place[] {
  if (after === undefined) return places;
  const at = places.findIndex((place) => comparePositions(place, after) > 0);
  return at < 0 ? [] : places.slice(at);
}
