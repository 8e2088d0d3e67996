import type { Claim, InFlight } from '../offsets/in-flight.ts';
import type { SkipReason } from '../offsets/ledger.ts';
import type { LineSink } from '../tail/line-sink.ts';
import type { ByteSlice } from '../util/byte-slice.ts';
import { AgentRecord, type SourceWithText } from './agent-record.ts';
import { type DecodedLine, decodeCriLine } from './cri-line.ts';
import { decodeDockerLine } from './docker-line.ts';
import { type JoinedLine, PartialJoiner } from './join-partials.ts';
import type { PartialBudget } from './partial-budget.ts';
import { type ParsedRecord, parseRecord } from './parse-record.ts';
import { SkipSamples } from './skip-samples.ts';

export interface ContainerRecordsOptions {
  readonly source: SourceWithText;
  /** Longest record in bytes. */
  readonly maxRecordBytes: number;
  /** What lines that lack their end may take, over all containers. */
  readonly partials: PartialBudget;
  readonly onRecord: (record: AgentRecord) => void;
}

/** Makes records of the lines of one container. Every line ends in a record or is skipped with a reason. */
export class ContainerRecords implements LineSink {
  readonly #source: SourceWithText;
  readonly #maxRecordBytes: number;
  readonly #onRecord: (record: AgentRecord) => void;
  readonly #joiner: PartialJoiner;
  readonly samples = new SkipSamples();

  constructor({ source, maxRecordBytes, partials, onRecord }: ContainerRecordsOptions) {
    this.#source = source;
    this.#maxRecordBytes = maxRecordBytes;
    this.#onRecord = onRecord;
    this.#joiner = new PartialJoiner(maxRecordBytes, partials);
  }

  line(line: ByteSlice, file: InFlight, start: number, end: number): void {
    const decoded = decodeLine(line);
    const whole = decoded !== undefined && this.#joiner.isWhole(decoded);
    const parsed = whole ? this.#parse(decoded) : undefined;
    if (typeof parsed === 'object') {
      file.ledger.records++;
      this.#onRecord(new AgentRecord(parsed, this.#source, { claim: file.claim(start, end), offset: start }));
      return;
    }
    // Not before: to look for NULs in each line would take as long as to check its JSON, which holds none.
    const rest = behindNuls(line);
    if (rest !== undefined) return this.line(rest, file, start, end);
    if (decoded === undefined) return this.#skip(line, file, start, end, 'not_json');
    if (parsed !== undefined) return this.#skip(decoded, file, start, end, parsed);
    const joined = this.#joiner.add(decoded, file, start, end);
    if (joined !== undefined) this.#takeJoined(joined);
  }

  tooLong(head: ByteSlice, file: InFlight, start: number, end: number): void {
    const decoded = decodeCriLine(head);
    if (decoded === undefined || this.#joiner.isWhole(decoded))
      this.#skip(head, file, start, end, 'too_long');
    else {
      const joined = this.#joiner.add(decoded, file, start, end);
      if (joined !== undefined) this.#takeJoined(joined);
    }
  }

  mayReadOn(): boolean {
    return this.#joiner.mayReadOn();
  }

  get withinRecord(): boolean {
    return !this.#joiner.unfinished().next().done;
  }

  get waiting(): readonly Claim[] {
    return this.#joiner.waiting;
  }

  /**
   * A container's output may end in a fragment that no other follows (conmon, at the end of a container that
   * printed no final newline). What is a whole JSON object already cannot become a longer one, so it need
   * not wait for the container's end.
   */
  idle(): void {
    for (const { stream, line } of this.#joiner.unfinished()) {
      const parsed = line.content && parseRecord(line.content);
      if (typeof parsed !== 'object') continue;
      this.#emit(parsed, line);
      this.#joiner.take(stream);
    }
  }

  end(): void {
    for (const { line } of this.#joiner.unfinished()) this.#takeJoined(line);
    this.#joiner.reset();
  }

  #parse(content: ByteSlice): ParsedRecord | SkipReason {
    if (content.to - content.from > this.#maxRecordBytes) return 'too_long';
    return parseRecord(content);
  }

  /**
   * The file that held the end of a line may have gone unseen, or while the agent was down. Its begin is then
   * joined with what is next, which must not be lost for that: a whole record does not need it.
   */
  #takeJoined(line: JoinedLine, partOf?: SkipReason): void {
    const { content, claims } = line;
    const parsed = content === undefined ? 'too_long' : parseRecord(content);
    if (typeof parsed !== 'string') return this.#emit(parsed, line);
    // The end of a line that is too long is as a rule just that.
    const reason = parsed === 'not_json' && partOf === 'too_long' ? partOf : parsed;
    const later = reason === 'not_json' || reason === 'too_long' ? line.withoutOldest() : undefined;
    if (content !== undefined) this.samples.note(reason, content);
    const skipped = claims.length - (later?.claims.length ?? 0);
    for (const claim of claims.slice(0, skipped)) claim.window.settle(claim, reason);
    if (later !== undefined) this.#takeJoined(later, reason);
  }

  #skip(line: ByteSlice, file: InFlight, start: number, end: number, reason: SkipReason): void {
    this.samples.note(reason, line);
    file.skip(start, end, reason);
  }

  #emit(parsed: ParsedRecord, { claims, offset }: JoinedLine): void {
    const [claim, ...more] = claims as [Claim, ...Claim[]];
    claim.window.ledger.records++;
    this.#onRecord(new AgentRecord(parsed, this.#source, { claim, offset, more }));
  }
}

function decodeLine(line: ByteSlice): DecodedLine | undefined {
  return line.bytes[line.from] === 0x7b ? decodeDockerLine(line) : decodeCriLine(line);
}

/**
 * A node that crashed can leave NUL bytes where data was not written yet; the next line follows them without
 * a line feed. No log format and no JSON text holds a NUL, so what is behind the last one is the line.
 */
function behindNuls({ bytes, from, to }: ByteSlice): ByteSlice | undefined {
  for (let at = to - 1; at >= from; at--) if (bytes[at] === 0) return { bytes, from: at + 1, to };
  return undefined;
}
