import type { Claim, Outcome } from '../offsets/in-flight.ts';
import { copyOf } from '../util/byte-slice.ts';
import { putDigits, putSixHexDigits } from '../util/put-digits.ts';
import type { LogRecord, RecordInBytes, RecordSource } from './log-record.ts';
import type { ParsedRecord } from './parse-record.ts';
import { unixNano } from './unix-nano.ts';

/** Where a record came from, with the text that says so made once a container. */
export interface SourceWithText extends RecordSource {
  /** `,"kubernetes":{…}}`, or empty with KUBERNETES_METADATA=false. */
  readonly suffix: Buffer;
}

const HYPHEN = 0x2d;
/** Tilde: behind it come DEL and what is no ASCII. */
const LAST_PLAIN = 0x7e;
const NOTHING = Buffer.alloc(0);
const NONE: readonly Claim[] = [];

/** The member that is added to each record, as it stands before the record's last brace. */
export function withText(source: RecordSource, kubernetesMetadata: boolean): SourceWithText {
  const { namespace, pod, container, node } = source;
  const member = `,"kubernetes":${JSON.stringify({ namespace, pod, container, node })}}`;
  return { ...source, suffix: kubernetesMetadata ? Buffer.from(member, 'utf8') : NOTHING };
}

/** A record and its way back. Writers see it as `LogRecord`. */
export interface TrackedRecord extends LogRecord {
  /** One more destination has the record to settle. */
  addDestination(): void;
  /** What it keeps in memory, shared with the records that were read with it; undefined where that is its own. */
  readonly piece: Buffer | undefined;
  /** It will wait long: what is kept in memory only for it, and is larger, is let go. */
  detach(): void;
  /** One destination has it durably, or never will. */
  settle(outcome: Outcome): void;
}

/** A record with what the way back to its lines needs: the claims of all of them. */
export class AgentRecord implements TrackedRecord, RecordInBytes {
  readonly seconds: number;
  readonly nanos: number;
  readonly source: RecordSource;
  readonly byteLength: number;
  readonly suffix: Buffer;
  /**
   * Its bytes stand where the file was read to: as long as it waits, that piece of the file is kept. The parts of a
   * slice, and not the slice: one object less of each record for V8's collector to move about.
   */
  #bytes: Buffer;
  #from: number;
  #to: number;
  readonly #claim: Claim;
  readonly #more: readonly Claim[];
  readonly offset: number;
  readonly #traceId: string | undefined;
  #traceFrom: number;
  #traceTo: number;
  /** Destinations that have not settled it yet. */
  #destinations = 0;
  #outcome: Outcome = 'delivered';

  /**
   * @param offset of the first line of the record, in the file of its claim.
   * @param more claims, of the record's other lines.
   */
  constructor(
    parsed: ParsedRecord,
    source: SourceWithText,
    { claim, offset, more = NONE }: { claim: Claim; offset: number; more?: readonly Claim[] },
  ) {
    this.seconds = parsed.time.seconds;
    this.nanos = parsed.time.nanos;
    this.source = source;
    const { traceId } = parsed;
    this.#traceId = typeof traceId === 'string' ? traceId : undefined;
    this.#traceFrom = typeof traceId === 'string' ? 0 : traceId.traceFrom;
    this.#traceTo = typeof traceId === 'string' ? 0 : traceId.traceTo;
    this.suffix = parsed.hasKubernetes ? NOTHING : source.suffix;
    this.#claim = claim;
    this.#more = more;
    this.offset = offset;
    const { bytes, from, to } = parsed.json;
    this.#bytes = bytes;
    this.#from = from;
    this.#to = to;
    this.byteLength = to - from + (this.suffix.length === 0 ? 0 : this.suffix.length - 1);
  }

  get unixNano(): string {
    return unixNano(this);
  }

  get id(): string {
    return `${this.#claim.window.fileId}-${this.offset.toString(16).padStart(12, '0')}`;
  }

  get fileId(): string {
    return this.#claim.window.fileId;
  }

  get piece(): Buffer {
    return this.#bytes;
  }

  get traceId(): string {
    return this.#traceId ?? this.#bytes.toString('utf8', this.#traceFrom, this.#traceTo);
  }

  get latin1(): string {
    const json = this.#bytes.toString('latin1', this.#from, this.#to);
    return this.suffix.length === 0 ? json : json.slice(0, -1) + this.suffix.toString('latin1');
  }

  toBytes(): Buffer {
    const bytes = Buffer.allocUnsafe(this.byteLength);
    this.copyTo(bytes, 0);
    return bytes;
  }

  copyTo(target: Buffer, at: number): number {
    const end = this.copyOwnTo(target, at);
    return end + this.suffix.copy(target, end);
  }

  copyOwnTo(target: Buffer, at: number): number {
    // What is added begins before the last brace, and ends with it.
    const to = this.suffix.length === 0 ? this.#to : this.#to - 1;
    return at + this.#bytes.copy(target, at, this.#from, to);
  }

  copyUnixNanoTo(target: Buffer, begin: number): number {
    const { seconds, nanos } = this;
    if (seconds < 1e9 || seconds >= 1e10) return begin + target.write(this.unixNano, begin, 'latin1');
    // From 2001 to 2286. Five digits at a time: division by a constant is quick with what 32 bits hold.
    let at = putDigits(target, begin, 5, Math.floor(seconds / 1e5));
    at = putDigits(target, at, 5, seconds % 1e5);
    return putDigits(target, at, 9, nanos);
  }

  copyIdTo(target: Buffer, begin: number): number {
    const { fileId } = this.#claim.window;
    let at = begin;
    for (let i = 0; i < fileId.length; i++) target[at++] = fileId.charCodeAt(i);
    target[at++] = HYPHEN;
    // An offset has more bits than shifts work on.
    at = putSixHexDigits(target, at, Math.floor(this.offset / 2 ** 24));
    return putSixHexDigits(target, at, this.offset % 2 ** 24);
  }

  get traceIdLength(): number {
    return this.#traceTo - this.#traceFrom;
  }

  copyTraceIdTo(target: Buffer, begin: number): number {
    if (this.#traceId !== undefined) return -1;
    const bytes = this.#bytes;
    let at = begin;
    // What was scanned holds no escapes and nothing that would have to be one.
    for (let from = this.#traceFrom; from < this.#traceTo; from++) {
      const byte = bytes[from]!;
      if (byte > LAST_PLAIN) return -1;
      target[at++] = byte;
    }
    return at;
  }

  /** One more destination has the record to settle before its lines are. */
  addDestination(): void {
    this.#destinations++;
  }

  /** It will wait long: it keeps its own bytes from now on, and no more the piece of the file around them. */
  detach(): void {
    const from = this.#from;
    if (this.#bytes.length <= 2 * (this.#to - from)) return;
    this.#bytes = copyOf(this.#bytes.subarray(from, this.#to));
    this.#from = 0;
    this.#to -= from;
    this.#traceFrom -= from;
    this.#traceTo -= from;
  }

  /** One destination has it durably, or never will. The last one to say so settles the lines. */
  settle(outcome: 'delivered' | 'dead_lettered'): void {
    if (outcome === 'dead_lettered') this.#outcome = outcome;
    if (--this.#destinations > 0) return;
    this.#claim.window.settle(this.#claim, this.#outcome);
    for (const claim of this.#more) claim.window.settle(claim, this.#outcome);
  }
}
