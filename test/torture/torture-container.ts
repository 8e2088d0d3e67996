import type { Stream } from '../../src/demo/line-format.ts';
import type { Random } from '../../src/demo/random.ts';
import type { ContainerTarget } from '../../src/pods/targets.ts';
import type { TestRecord, TestRecords } from '../support/sim/test-records.ts';
import type { Backing } from './backings.ts';
import type { Journal } from './journal.ts';
import { type Duty, MAY, type RecordBook } from './record-book.ts';

/** One log file, for as long as it is there: which records have bytes in it. */
export interface FileTrack {
  readonly createdAt: number;
  readonly seqs: number[];
}

export interface TortureContainerOptions {
  readonly target: ContainerTarget;
  readonly backing: Backing;
  readonly book: RecordBook;
  readonly records: TestRecords;
  readonly random: Random;
  /** What the store must make of a record that is printed now. */
  readonly duty: () => Duty;
  readonly onDeleted: (container: TortureContainer, file: FileTrack) => void;
  readonly journal: Journal;
  readonly maxRecordBytes: number;
}

const lineFeed = Buffer.from('\n');
const carriageReturn = Buffer.from('\r\n');

/** A container that prints records and noise, and knows which file each record went to. */
export class TortureContainer {
  readonly target: ContainerTarget;
  readonly createdAt: number;
  /** A file larger than this is rotated. */
  readonly rotateBytes: number;
  readonly #options: TortureContainerOptions;
  readonly #place: number;
  readonly #files = new Map<string, FileTrack>();
  /** Ends of lines whose beginnings are printed. */
  readonly #torn = new Map<Stream, { readonly rest: Buffer; readonly seq: number }>();
  /** A rotation is under way: no other change of files may come between. */
  busy = false;
  ended = false;
  /** When the API came to know its pod. */
  toldAt: number | undefined;
  /** The API has forgotten its pod. */
  untold = false;
  lines = 0;

  constructor(options: TortureContainerOptions) {
    const { target, book, random } = options;
    this.rotateBytes = random.pick([16, 48, 96, 96]) * 1024;
    this.#options = options;
    this.target = target;
    this.createdAt = book.now();
    this.#place = book.addPlace(target);
    this.#track();
  }

  get size(): number {
    return this.#options.backing.size;
  }

  /** Prints so many lines, of all kinds. */
  print(lines: number): void {
    const { random, book } = this.#options;
    const out = new Map<Stream, Buffer[]>();
    const whole: number[] = [];
    const flush = () => {
      for (const [stream, pieces] of out) this.#options.backing.print(Buffer.concat(pieces), stream);
      for (const seq of whole) this.#finished(seq);
      out.clear();
      whole.length = 0;
    };
    for (let i = 0; i < lines; i++) {
      const stream = random.chance(0.15) ? 'stderr' : 'stdout';
      if (this.#torn.has(stream)) {
        // Some lines stay torn while the other stream goes on, and over rotations.
        if (random.chance(0.3)) continue;
        flush();
        this.#mend(stream);
      }
      this.lines++;
      const pieces = out.get(stream) ?? [];
      out.set(stream, pieces);
      if (random.chance(0.05)) {
        pieces.push(this.#noise(), lineFeed);
        continue;
      }
      const { json, seq } = this.#record();
      const end = random.chance(0.03) ? carriageReturn : lineFeed;
      if (stream === 'stderr') book.note(seq, 'stderr');
      if (end === carriageReturn) book.note(seq, 'CR LF');
      if (!random.chance(0.03)) {
        pieces.push(json, end);
        whole.push(seq);
        continue;
      }
      book.note(seq, 'torn');
      flush();
      const line = Buffer.concat([json, end]);
      const cut = random.chance(0.2) ? json.length : random.int(1, line.length - 1);
      this.#options.backing.print(line.subarray(0, cut), stream);
      this.#torn.set(stream, { rest: line.subarray(cut), seq });
      this.#note('torn', { seq, stream, cut, of: line.length });
    }
    flush();
  }

  /** Finishes every line that is torn. */
  mend(): void {
    for (const stream of this.#torn.keys()) this.#mend(stream);
  }

  async rotate(maxFiles: number): Promise<boolean> {
    const { backing, random } = this.#options;
    this.busy = true;
    try {
      const current = backing.current;
      const reopened = await backing.rotate({
        random,
        maxFiles,
        reopenFails: 0.05,
        meanwhile: async () => {
          this.print(random.int(0, 5));
          if (random.chance(0.2)) await new Promise((resolve) => setTimeout(resolve, random.int(1, 150)));
        },
        changed: () => {
          if (backing.current !== current) this.#track();
          this.#lookForDeleted();
        },
      });
      this.#note(reopened ? 'rotated' : 'renamed back');
      return reopened;
    } finally {
      this.busy = false;
    }
  }

  /** It dies and is started again; of the dead runs so many keep their files. */
  restart(keepDead: number): void {
    this.#lastWords();
    this.#note('restart');
    this.#options.backing.restart(keepDead);
    this.#track();
    this.#lookForDeleted();
  }

  /** It dies for good; its files stay. */
  end(): void {
    if (this.ended) return;
    this.#lastWords();
    this.#options.backing.end();
    this.ended = true;
  }

  /** Its directory is gone. */
  removed(): void {
    for (const file of this.#files.values()) this.#options.onDeleted(this, file);
    this.#files.clear();
  }

  /** Every file that is there. */
  get files(): Iterable<FileTrack> {
    return this.#files.values();
  }

  #record(): { json: Buffer; seq: number } {
    const { records, book, duty, backing } = this.#options;
    const record = records.next();
    const json = backing.runtime === 'docker' ? inDocker(record.json) : record.json;
    const seq = book.add({ ...record, json } satisfies TestRecord, this.#place, duty());
    this.#current.seqs.push(seq);
    if (json.length > 8_000) book.note(seq, 'long');
    if (backing.runtime === 'docker') book.note(seq, 'docker');
    return { json, seq };
  }

  #note(what: string, details = {}): void {
    const { journal, book, target } = this.#options;
    journal.note(what, { directory: target.directory, next: book.size, ...details });
  }

  #finished(seq: number): void {
    const { book, duty } = this.#options;
    book.finish(seq);
    if (duty() === MAY) book.excuse(seq);
  }

  #mend(stream: Stream): void {
    const { rest, seq } = this.#torn.get(stream)!;
    this.#torn.delete(stream);
    this.#note('mended', { seq });
    this.#options.backing.print(rest, stream);
    if (!this.#current.seqs.includes(seq)) {
      this.#current.seqs.push(seq);
      this.#options.book.note(seq, 'torn by a rotation');
    }
    this.#finished(seq);
  }

  /** The last line may lack its end, or the rest of it never come. */
  #lastWords(): void {
    const { random, backing, book } = this.#options;
    let begun = false;
    for (const [stream, { seq, rest }] of this.#torn) {
      // What lacks only white space is a whole record.
      if (rest.length > 2 && random.chance(0.3)) {
        book.abandon(seq);
        this.#note('abandoned', { seq });
        this.#torn.delete(stream);
        begun ||= stream === 'stdout';
      } else this.#mend(stream);
    }
    // What is printed behind the beginning of a line belongs to that line.
    if (begun || !random.chance(0.3)) return;
    this.lines++;
    const { json, seq } = this.#record();
    book.note(seq, 'no line end');
    this.#note('no line end', { seq });
    backing.print(json, 'stdout');
    this.#finished(seq);
  }

  #noise(): Buffer {
    const { random, records, maxRecordBytes } = this.#options;
    if (random.chance(0.002)) return Buffer.alloc(maxRecordBytes + random.int(1, 200_000), 'x');
    return records.noise();
  }

  get #current(): FileTrack {
    return this.#files.get(this.#options.backing.current)!;
  }

  #track(): void {
    const { backing, book } = this.#options;
    if (this.#files.has(backing.current)) return;
    this.#files.set(backing.current, { createdAt: book.now(), seqs: [] });
  }

  #lookForDeleted(): void {
    const alive = this.#options.backing.alive();
    for (const [name, file] of this.#files) {
      if (alive.has(name)) continue;
      this.#files.delete(name);
      this.#options.onDeleted(this, file);
    }
  }
}

/** Docker's log is JSON text: bytes that are no UTF-8 do not survive it, nor characters that its limit cuts. */
function inDocker(json: Buffer): Buffer {
  if (json.length < 16_000) return Buffer.from(json.toString('utf8'));
  return Buffer.from(json.toString('latin1').replace(/[^\x20-\x7e]/g, '?'), 'latin1');
}
