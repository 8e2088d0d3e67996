import { crc32 } from 'node:zlib';
import type { TestRecord } from '../support/sim/test-records.ts';

/** What the store must make of a record. */
export const MUST = 0;
/** The agent had no fair chance to read it: it may be stored or not. */
export const MAY = 1;
/** Of a pod that is not selected: it may not be stored. */
export const NEVER = 2;
export type Duty = typeof MUST | typeof MAY | typeof NEVER;

const kinds = ['stderr', 'torn', 'torn by a rotation', 'CR LF', 'long', 'no line end', 'docker'] as const;
export type Kind = (typeof kinds)[number];

/** A record that is not written to its end yet. */
const UNFINISHED = 0xffff_ffff;
const brace = Buffer.from('}');

/** Where a record was printed. */
export interface Place {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** How the store differs from what was written, in numbers of records; at most a few of each are named. */
export interface Differences {
  /** Different records that were found. */
  stored: number;
  lost: number;
  twice: number;
  altered: number;
  outOfPlace: number;
  unexpected: number;
  /** Records that may be missing, and are. */
  missing: number[];
  readonly examples: string[];
}

/** Remembers of every record so much that a stored one can be compared with it: 21 bytes. */
export class RecordBook {
  readonly places: Place[] = [];
  readonly #started: number;
  readonly #clock: () => number;
  #size = 0;
  #keys = new Uint32Array(1024);
  #values = new Uint32Array(1024);
  #finished = new Uint32Array(1024);
  /** Of the key under which it was stored, the whole of it; 0 where it was not seen. */
  #stored = new Uint32Array(1024);
  #place = new Uint16Array(1024);
  #duty = new Uint8Array(1024);
  #kind = new Uint8Array(1024);

  /** @param clock in milliseconds. */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
    this.#started = clock();
  }

  /** The number of records, and the `seq` of the next one. */
  get size(): number {
    return this.#size;
  }

  /** Milliseconds since the book was opened: the time in which everything here is told. */
  now(): number {
    return this.#clock() - this.#started;
  }

  addPlace(place: Place): number {
    return this.places.push(place) - 1;
  }

  /** A record begins to be written. Its member `seq` must be `size`. */
  add({ traceId, unixNano, json }: TestRecord, place: number, duty: Duty): number {
    const seq = this.#size++;
    if (seq === this.#keys.length) this.#grow();
    this.#keys[seq] = crc32(`${traceId}/${unixNano}`);
    this.#values[seq] = crc32(json);
    this.#finished[seq] = UNFINISHED;
    this.#place[seq] = place;
    this.#duty[seq] = duty;
    return seq;
  }

  /** Its last byte is written. */
  finish(seq: number): void {
    this.#finished[seq] = Math.round(this.now());
  }

  /** Its last byte was written at that time or before. */
  wasFinishedBy(seq: number, time: number): boolean {
    return this.#finished[seq]! <= time;
  }

  /** It will never be whole, so it is none. */
  abandon(seq: number): void {
    this.#duty[seq] = NEVER;
  }

  /** How it was printed, for whoever looks for a fault. */
  note(seq: number, kind: Kind): void {
    this.#kind[seq]! |= 1 << kinds.indexOf(kind);
  }

  excuse(seq: number): void {
    if (this.#duty[seq] === MUST) this.#duty[seq] = MAY;
  }

  isMust(seq: number): boolean {
    return this.#duty[seq] === MUST;
  }

  /** How many must be stored. */
  get expected(): number {
    let count = 0;
    for (let seq = 0; seq < this.#size; seq++) if (this.#duty[seq] === MUST) count++;
    return count;
  }

  /** It was found in the store. */
  wasSeen(seq: number): boolean {
    return this.#stored[seq] !== 0;
  }

  /** Judges one stored record. */
  see(key: Buffer, value: Buffer, to: Differences): void {
    const text = value.toString('latin1');
    const seq = Number(/"seq":(\d+)/.exec(text)?.[1] ?? NaN);
    const say = (what: string) => {
      if (to.examples.length < 20) to.examples.push(`${what}: ${key.toString()} ${text.slice(0, 200)}`);
    };
    if (!(seq < this.#size) || this.#duty[seq] === NEVER) {
      to.unexpected++;
      say('unexpected');
      return;
    }
    const under = crc32(key) || 1;
    const before = this.#stored[seq];
    if (before !== 0 && before !== under) {
      to.twice++;
      say('twice');
    }
    if (before === 0) to.stored++;
    this.#stored[seq] = under;
    const { namespace, pod, container } = this.places[this.#place[seq]!]!;
    const member = `,"kubernetes":${JSON.stringify({ namespace, pod, container, node: 'node-1' })}}`;
    const json = value.subarray(0, -member.length);
    if (!text.endsWith(member) || crc32(brace, crc32(json)) !== this.#values[seq]) {
      to.altered++;
      say('altered');
    }
    const [, traceId, unixNano] = key.toString().split('/');
    if (crc32(`${traceId}/${unixNano}`) !== this.#keys[seq]) {
      to.outOfPlace++;
      say('out of place');
    }
  }

  /** When all that is stored was seen: what is missing. */
  missing(to: Differences): void {
    for (let seq = 0; seq < this.#size; seq++) {
      if (this.#stored[seq] !== 0 || this.#duty[seq] === NEVER) continue;
      if (this.#duty[seq] === MAY) {
        to.missing.push(seq);
        continue;
      }
      to.lost++;
      if (to.lost <= 20) to.examples.push(`lost: ${this.describe(seq)}`);
    }
  }

  describe(seq: number): string {
    const { namespace, pod, container } = this.places[this.#place[seq]!]!;
    const how = kinds.filter((_, bit) => (this.#kind[seq]! >> bit) & 1).join(', ');
    const when = `written by ${this.#finished[seq]} ms`;
    return `seq ${seq} of ${namespace}/${pod}/${container}, ${when} (${how})`;
  }

  #grow(): void {
    const length = this.#keys.length * 2;
    this.#keys = copied(new Uint32Array(length), this.#keys);
    this.#values = copied(new Uint32Array(length), this.#values);
    this.#finished = copied(new Uint32Array(length), this.#finished);
    this.#place = copied(new Uint16Array(length), this.#place);
    this.#duty = copied(new Uint8Array(length), this.#duty);
    this.#stored = copied(new Uint32Array(length), this.#stored);
    this.#kind = copied(new Uint8Array(length), this.#kind);
  }
}

function copied<T extends Uint8Array | Uint16Array | Uint32Array>(to: T, from: T): T {
  to.set(from);
  return to;
}
