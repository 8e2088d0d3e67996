import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../ops/log.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { Repeated } from '../ops/repeated.ts';
import { AppendFile } from '../util/append-file.ts';
import type { Rejection } from '../writers/log-writer.ts';
import { toDeadLetterLine } from './dead-letter.ts';

export interface DeadLettersOptions {
  /** `<STATE_DIR>/dead-letters`; made when the first one comes. */
  readonly directory: string;
  readonly log: Log;
  /** Where refusals are said: a destination may refuse much. */
  readonly repeated: Pick<Repeated, 'problem'>;
  readonly metrics: Pick<Metrics, 'deadLetters' | 'deadLettersDropped'>;
  /** A file that has reached this many bytes is followed by a new one. Default 10 MiB. */
  readonly fileBytes?: number;
  /** Files kept; the oldest goes when there is one more. Default 10. */
  readonly files?: number;
  readonly now?: () => Date;
}

const fileName = /^dead-letters-(\d{6,})\.ndjson$/;

/** Keeps what destinations refuse for good, as NDJSON in a bounded set of files `dead-letters-<number>.ndjson`. */
export class DeadLetters {
  readonly #options: Required<DeadLettersOptions>;
  #current: { readonly file: AppendFile; readonly number: number } | undefined;
  /** The last of the calls, which run one after the other. */
  #last: Promise<void> = Promise.resolve();

  constructor(options: DeadLettersOptions) {
    this.#options = { fileBytes: 10 * 2 ** 20, files: 10, now: () => new Date(), ...options };
  }

  /** Keeps the records and resolves when they are on the disk. @throws the operating system's error; none is kept then. */
  add(rejections: readonly Rejection[], writer: string): Promise<void> {
    const added = this.#last.then(async () => await this.#add(rejections, writer));
    this.#last = added.catch(() => undefined);
    return added;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#current?.file.close();
    this.#current = undefined;
  }

  async #add(rejections: readonly Rejection[], writer: string): Promise<void> {
    const { repeated, metrics, now, directory } = this.#options;
    const text = rejections.map((rejection) => toDeadLetterLine(rejection, writer, now())).join('');
    const file = await this.#fileToWrite();
    await file.append(Buffer.from(text, 'utf8'));
    metrics.deadLetters.inc({ writer }, rejections.length);
    const [first] = rejections;
    repeated.problem(
      writer,
      `The writer ${writer} refuses records for good: they are kept as dead letters`,
      { writer, records: rejections.length, reason: first?.reason, id: first?.record.id, directory },
      'error',
    );
  }

  async #fileToWrite(): Promise<AppendFile> {
    const { directory, log, fileBytes } = this.#options;
    // A file that an operator took away must not take the next letters with it.
    const usable =
      this.#current && this.#current.file.size < fileBytes && !(await this.#current.file.isDeleted());
    if (this.#current && usable) return this.#current.file;
    await this.#current?.file.close();
    const before = this.#current?.number;
    this.#current = undefined;

    let number = before === undefined ? ((await this.#numbers()).at(-1) ?? 1) : before + 1;
    const open = async (): Promise<AppendFile> =>
      await AppendFile.open(join(directory, nameOf(number)), (bytes) =>
        log.warn(
          { bytes, file: nameOf(number) },
          'Cut off a dead letter that a crash tore; it is written again',
        ),
      );
    let file = await open();
    if (file.size >= fileBytes) {
      await file.close();
      number += 1;
      file = await open();
    }
    this.#current = { file, number };
    await this.#dropOldest();
    return file;
  }

  async #dropOldest(): Promise<void> {
    const { directory, files, log, metrics } = this.#options;
    const numbers = await this.#numbers();
    for (const number of numbers.slice(0, Math.max(0, numbers.length - files))) {
      const path = join(directory, nameOf(number));
      const content = await readFile(path);
      let records = 0;
      for (let at = content.indexOf(0x0a); at !== -1; at = content.indexOf(0x0a, at + 1)) records += 1;
      await rm(path);
      metrics.deadLettersDropped.inc(records);
      log.error(
        { file: nameOf(number), records },
        'Too many dead letters: the oldest file of them is given up',
      );
    }
  }

  /** Numbers of the files there are, ascending. */
  async #numbers(): Promise<number[]> {
    const names = await readdir(this.#options.directory).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw error;
    });
    return names.flatMap((name) => Number(fileName.exec(name)?.[1] ?? []) || []).toSorted((a, b) => a - b);
  }
}

function nameOf(number: number): string {
  return `dead-letters-${String(number).padStart(6, '0')}.ndjson`;
}
