import type { Claim, Outcome } from '../offsets/in-flight.ts';
import type { LogRecord, RecordSource } from './log-record.ts';

/** Where a record came from, with the text that says so made once a container. */
export interface SourceWithText extends RecordSource {
  /** `,"kubernetes":{…}}` in latin1, or empty with KUBERNETES_METADATA=false. */
  readonly suffix: string;
}

/** The member that is added to each record, as it stands before the record's last brace. */
export function withText(source: RecordSource, kubernetesMetadata: boolean): SourceWithText {
  const { namespace, pod, container, node } = source;
  const member = `,"kubernetes":${JSON.stringify({ namespace, pod, container, node })}}`;
  return { ...source, suffix: kubernetesMetadata ? Buffer.from(member, 'utf8').toString('latin1') : '' };
}

/** A record and its way back. Writers see it as `LogRecord`. */
export interface TrackedRecord extends LogRecord {
  /** One more destination has the record to settle. */
  addDestination(): void;
  /** One destination has it durably, or never will. */
  settle(outcome: Outcome): void;
}

/** A record with what the way back to its lines needs: the claims of all of them. */
export class AgentRecord implements TrackedRecord {
  readonly traceId: string;
  readonly unixNano: string;
  readonly source: RecordSource;
  readonly byteLength: number;
  readonly #json: string;
  readonly #suffix: string;
  readonly #claims: readonly Claim[];
  readonly #offset: number;
  /** Destinations that have not settled it yet. */
  #destinations = 0;
  #outcome: Outcome = 'delivered';

  /** @param offset of the first line of the record in the file of the first claim. */
  constructor(
    parsed: { json: string; traceId: string; unixNano: string; hasKubernetes: boolean },
    source: SourceWithText,
    claims: readonly Claim[],
    offset: number,
  ) {
    this.traceId = parsed.traceId;
    this.unixNano = parsed.unixNano;
    this.source = source;
    this.#json = parsed.json;
    this.#suffix = parsed.hasKubernetes ? '' : source.suffix;
    this.#claims = claims;
    this.#offset = offset;
    this.byteLength = parsed.json.length + (this.#suffix === '' ? 0 : this.#suffix.length - 1);
  }

  get id(): string {
    return `${this.#claims[0]!.window.fileId}-${this.#offset.toString(16).padStart(12, '0')}`;
  }

  get latin1(): string {
    return this.#suffix === '' ? this.#json : this.#json.slice(0, -1) + this.#suffix;
  }

  toBytes(): Buffer {
    return Buffer.from(this.latin1, 'latin1');
  }

  /** One more destination has the record to settle before its lines are. */
  addDestination(): void {
    this.#destinations++;
  }

  /** One destination has it durably, or never will. The last one to say so settles the lines. */
  settle(outcome: 'delivered' | 'dead_lettered'): void {
    if (outcome === 'dead_lettered') this.#outcome = outcome;
    if (--this.#destinations > 0) return;
    for (const claim of this.#claims) claim.window.settle(claim, this.#outcome);
  }
}
