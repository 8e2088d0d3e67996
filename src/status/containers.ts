import type { ContainerOffsets } from '../offsets/offset-store.ts';
import type { ContainerTarget } from '../pods/targets.ts';
import type { SkipSamples } from '../record/skip-samples.ts';
import type { ContainerTail } from '../tail/container-tail.ts';
import type { FileTail } from '../tail/file-tail.ts';
import { Growth } from './growth.ts';
import { type Rotation, secondsUntilDeletion } from './until-deletion.ts';

/** A container that is followed, as the parts that follow it. */
export interface Followed {
  readonly target: ContainerTarget;
  readonly tail: Pick<
    ContainerTail,
    'files' | 'bytesBehind' | 'unreadSince' | 'lastDataAt' | 'failure' | 'held'
  >;
  readonly offsets: ContainerOffsets;
  readonly samples: SkipSamples;
}

interface Entry extends Followed {
  readonly growth: Growth;
  records: number;
  lastRecordAt: number | undefined;
}

/** How it stands with one container at one moment. */
export interface Figures extends Followed {
  /** How fast the container writes; undefined until that is known. */
  readonly bytesPerSecond: number | undefined;
  readonly behindBytes: number;
  /** When a record was last made, to ten seconds; in milliseconds since 1970. */
  readonly lastRecordAt: number | undefined;
  /** Age of the oldest byte that is not read; 0 where all is read. */
  readonly behindSeconds: number;
  /** See `secondsUntilDeletion`. */
  readonly deletionSeconds: number | undefined;
}

/** How often the sizes of files are noted, in milliseconds. */
const SAMPLE_MS = 10_000;

/** The containers that are followed. Nothing here costs anything for a line: figures are made when asked for. */
export class Containers<T extends Followed['tail'] = Followed['tail']> {
  readonly #rotation: Rotation;
  readonly #followed = new Map<T, Entry>();
  #nextSample = 0;

  constructor(rotation: Rotation) {
    this.#rotation = rotation;
  }

  add(followed: Followed & { readonly tail: T }): void {
    const growth = new Growth();
    this.#followed.set(followed.tail, { ...followed, growth, records: 0, lastRecordAt: undefined });
  }

  remove(tail: T): void {
    this.#followed.delete(tail);
  }

  get size(): number {
    return this.#followed.size;
  }

  tails(): Iterable<T> {
    return this.#followed.keys();
  }

  /** Notes how far the files have grown, now and then; to be called often. @param now see `Growth.sample`. */
  sample(now: number): void {
    if (now < this.#nextSample) return;
    this.#nextSample = now + SAMPLE_MS;
    for (const followed of this.#followed.values()) {
      const { tail, growth } = followed;
      noteRecords(followed);
      const files = tail.files.ordered.map(({ fileId, stat, entry }) => ({
        fileId,
        size: stat.size,
        compressed: entry.compressed,
      }));
      growth.sample(files, now);
    }
  }

  /** Of all containers, those followed for longest first. @param now milliseconds since 1970. */
  *figures(now = Date.now()): Generator<Figures, void> {
    for (const entry of this.#followed.values()) {
      noteRecords(entry);
      const { growth, records: _records, ...followed } = entry;
      const { tail } = followed;
      const { bytesPerSecond } = growth;
      const files = tail.files.ordered.map(rotated);
      const since = tail.unreadSince;
      yield {
        ...followed,
        bytesPerSecond,
        behindBytes: tail.bytesBehind,
        behindSeconds: since === undefined ? 0 : Math.max(0, now - since) / 1000,
        deletionSeconds: secondsUntilDeletion(files, bytesPerSecond ?? 0, this.#rotation),
      };
    }
  }
}

function noteRecords(entry: Entry): void {
  const { records } = entry.offsets.ledger();
  if (records !== entry.records) entry.lastRecordAt = Date.now();
  entry.records = records;
}

function rotated({ entry, deleted, stat, behind }: FileTail) {
  const { generation, live } = entry;
  return { generation, live, deleted, size: stat.size, unread: behind > 0 };
}
