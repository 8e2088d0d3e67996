import { hash } from 'node:crypto';
import type { LogRecord } from '../record/log-record.ts';
import { isInBytes } from './is-in-bytes.ts';

/** What was added of one file. */
interface FilesPart {
  readonly fileId: string;
  least: number;
  greatest: number;
  /** What the hashes of its records begin with: all bits of the file's identity count in both. */
  readonly seed1: number;
  readonly seed2: number;
}

const canonical = /^([\da-f]{16})-([\da-f]{12})$/;

/**
 * The least and the greatest of some identities and a hash of them all, in whatever order they come, without a text
 * for each.
 *
 * The hash is the sum of each identity's own two hashes of 32 bits: identities that differ are mixed anew, so that
 * the sums of two different sets are equal by a chance of 2^-64. Nobody gains by making them so: it takes a set with
 * the same least and greatest identity, which means that it is the same records read again.
 */
export class IdentityDigest {
  readonly #files = new Map<string, FilesPart>();
  #current: FilesPart | undefined;
  #sum1 = 0;
  #sum2 = 0;

  add(record: LogRecord): void {
    if (isInBytes(record)) return this.#add(record.fileId, record.offset);
    const [, fileId, offset = ''] = canonical.exec(record.id) ?? [];
    // What is no identity of the agent's counts as a file of its own.
    if (fileId === undefined) this.#add(record.id, Number.NaN);
    else this.#add(fileId, Number.parseInt(offset, 16));
  }

  /** `<least>-<greatest>-<hash>`; the hash has 16 hexadecimal digits. */
  toString(): string {
    const ids = [...this.#files.values()].flatMap(({ fileId, least, greatest }) => [
      idOf(fileId, least),
      idOf(fileId, greatest),
    ]);
    ids.sort();
    return `${ids[0]}-${ids.at(-1)}-${hex8(this.#sum1)}${hex8(this.#sum2)}`;
  }

  #add(fileId: string, offset: number): void {
    // Records of a file come together.
    const file = this.#current?.fileId === fileId ? this.#current : this.#fileOf(fileId, offset);
    if (offset < file.least) file.least = offset;
    else if (offset > file.greatest) file.greatest = offset;
    const low = offset | 0;
    const high = (offset / 2 ** 32) | 0;
    this.#sum1 = (this.#sum1 + mix1(low ^ file.seed1 ^ Math.imul(high, 0x9e3779b1))) | 0;
    this.#sum2 = (this.#sum2 + mix2(low ^ file.seed2 ^ Math.imul(high, 0x85ebca77))) | 0;
  }

  #fileOf(fileId: string, offset: number): FilesPart {
    let file = this.#files.get(fileId);
    if (file === undefined) {
      const seeds = hash('sha256', fileId, 'buffer');
      file = {
        fileId,
        least: offset,
        greatest: offset,
        seed1: seeds.readInt32LE(0),
        seed2: seeds.readInt32LE(4),
      };
      this.#files.set(fileId, file);
    }
    this.#current = file;
    return file;
  }
}

function idOf(fileId: string, offset: number): string {
  return Number.isNaN(offset) ? fileId : `${fileId}-${offset.toString(16).padStart(12, '0')}`;
}

/** The last step of MurmurHash3 (32 bits): each bit of the input changes half of the bits of the result. */
function mix1(value: number): number {
  let hashed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hashed = Math.imul(hashed ^ (hashed >>> 13), 0xc2b2ae35);
  return hashed ^ (hashed >>> 16);
}

/** The same with other numbers (C. Wellons' lowbias32). */
function mix2(value: number): number {
  let hashed = Math.imul(value ^ (value >>> 16), 0x7feb352d);
  hashed = Math.imul(hashed ^ (hashed >>> 15), 0x846ca68b);
  return hashed ^ (hashed >>> 16);
}

function hex8(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}
