import type { InFlight } from '../offsets/in-flight.ts';
import type { SkipReason } from '../offsets/ledger.ts';
import type { LineSink } from '../tail/line-sink.ts';
import { AgentRecord, type SourceWithText } from './agent-record.ts';
import { type DecodedLine, decodeCriLine } from './cri-line.ts';
import { decodeDockerLine } from './docker-line.ts';
import { type JoinedLine, PartialJoiner } from './join-partials.ts';
import { parseRecord } from './parse-record.ts';
import { SkipSamples } from './skip-samples.ts';
import { unixNanoReader } from './unix-nano.ts';

export interface ContainerRecordsOptions {
  readonly source: SourceWithText;
  /** Longest record in bytes. */
  readonly maxRecordBytes: number;
  readonly onRecord: (record: AgentRecord) => void;
}

/** Makes records of the lines of one container. Every line ends in a record or is skipped with a reason. */
export class ContainerRecords implements LineSink {
  readonly #source: SourceWithText;
  readonly #maxRecordBytes: number;
  readonly #onRecord: (record: AgentRecord) => void;
  readonly #joiner: PartialJoiner;
  readonly #unixNano = unixNanoReader();
  readonly samples = new SkipSamples();

  constructor({ source, maxRecordBytes, onRecord }: ContainerRecordsOptions) {
    this.#source = source;
    this.#maxRecordBytes = maxRecordBytes;
    this.#onRecord = onRecord;
    this.#joiner = new PartialJoiner(maxRecordBytes);
  }

  line(line: string, file: InFlight, start: number, end: number): void {
    const decoded = decodeLine(line);
    if (decoded === undefined) return this.#skip(line, file, start, end, 'not_json');
    if (!this.#joiner.isWhole(decoded)) {
      const joined = this.#joiner.add(decoded, file, start, end);
      if (joined !== undefined) this.#takeJoined(joined);
      return;
    }
    const { content } = decoded;
    if (content.length > this.#maxRecordBytes) return this.#skip(content, file, start, end, 'too_long');
    const parsed = parseRecord(content, this.#unixNano);
    if (typeof parsed === 'string') return this.#skip(content, file, start, end, parsed);
    file.ledger.records++;
    this.#onRecord(new AgentRecord(parsed, this.#source, [file.claim(start, end)], start));
  }

  tooLong(head: string, file: InFlight, start: number, end: number): void {
    const decoded = decodeCriLine(head);
    if (decoded === undefined || this.#joiner.isWhole(decoded))
      this.#skip(head, file, start, end, 'too_long');
    else this.#joiner.add(decoded, file, start, end);
  }

  get withinRecord(): boolean {
    return !this.#joiner.unfinished().next().done;
  }

  /**
   * A container's output may end in a fragment that no other follows (conmon, at the end of a container that
   * printed no final newline). What is a whole JSON object already cannot become a longer one, so it need
   * not wait for the container's end.
   */
  idle(): void {
    for (const { stream, line } of this.#joiner.unfinished()) {
      const parsed = parseRecord(line.content, this.#unixNano);
      if (typeof parsed === 'string') continue;
      this.#emit(parsed, line);
      this.#joiner.take(stream);
    }
  }

  end(): void {
    for (const { line } of this.#joiner.unfinished()) this.#takeJoined(line);
    this.#joiner.reset();
  }

  /**
   * The file that held the end of a line may have gone unseen, or while the agent was down. Its begin is then
   * joined with what is next, which must not be lost for that: a whole record does not need it.
   */
  #takeJoined(line: JoinedLine): void {
    const parsed = parseRecord(line.content, this.#unixNano);
    if (typeof parsed !== 'string') return this.#emit(parsed, line);
    const later = parsed === 'not_json' ? line.withoutOldest() : undefined;
    this.samples.note(parsed, line.content);
    const skipped = line.claims.length - (later?.claims.length ?? 0);
    for (const claim of line.claims.slice(0, skipped)) claim.window.settle(claim, parsed);
    if (later !== undefined) this.#takeJoined(later);
  }

  #skip(line: string, file: InFlight, start: number, end: number, reason: SkipReason): void {
    this.samples.note(reason, line);
    file.skip(start, end, reason);
  }

  #emit(parsed: Exclude<ReturnType<typeof parseRecord>, SkipReason>, { claims, offset }: JoinedLine): void {
    claims[0]!.window.ledger.records++;
    this.#onRecord(new AgentRecord(parsed, this.#source, claims, offset));
  }
}

/**
 * A node that crashed can leave NUL bytes where data was not written yet; the next line follows them without
 * a line feed. No log format and no JSON text holds a NUL, so what is behind the last one is the line.
 */
function decodeLine(line: string): DecodedLine | undefined {
  const decoded = line.charCodeAt(0) === 0x7b ? decodeDockerLine(line) : decodeCriLine(line);
  if (decoded !== undefined && !decoded.content.includes('\0')) return decoded;
  const nul = line.lastIndexOf('\0');
  return nul < 0 ? decoded : decodeLine(line.slice(nul + 1));
}
