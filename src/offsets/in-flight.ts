import { Ledger, type SkipReason } from './ledger.ts';

/** What became of a line that was claimed. */
export type Outcome = 'delivered' | 'dead_lettered' | SkipReason;

/** One line that is not settled yet. Opaque to all but the window that made it. */
export interface Claim {
  readonly window: InFlight;
  /** Offset behind the line, in bytes. */
  end: number;
  settled: boolean;
}

/**
 * The lines of one file that are read and not settled, in order. They settle in any order;
 * `committed` passes only the contiguous prefix: below it every line is stored, dead-lettered or skipped.
 */
export class InFlight {
  readonly fileId: string;
  readonly ledger = new Ledger();
  #committed: number;
  #readTo: number;
  #claims: Claim[] = [];
  #head = 0;
  readonly #onCommit: () => void;

  /**
   * @param committed where reading begins, in (uncompressed) bytes from the file's begin.
   * @param onCommit called when `committed` has grown; often, so it must be cheap.
   */
  constructor(fileId: string, committed: number, onCommit: () => void) {
    this.fileId = fileId;
    this.#committed = committed;
    this.#readTo = committed;
    this.#onCommit = onCommit;
  }

  /** Where a restart would begin to read. */
  get committed(): number {
    return this.#committed;
  }

  /** Behind the last line that was taken: where reading goes on within this run. */
  get readTo(): number {
    return this.#readTo;
  }

  /** Whether every line that was claimed is settled. */
  get settled(): boolean {
    return this.#head === this.#claims.length;
  }

  /** Takes a line whose fate is open. Lines are taken in the order of the file. */
  claim(start: number, end: number): Claim {
    const claim = { window: this, end, settled: false };
    this.ledger.bytes += end - start;
    this.ledger.lines++;
    this.ledger.inFlight++;
    this.#readTo = end;
    this.#claims.push(claim);
    return claim;
  }

  /** Takes a line that is settled at once, because it is no record. */
  skip(start: number, end: number, reason: SkipReason): void {
    this.ledger.bytes += end - start;
    this.ledger.lines++;
    this.ledger.skipped[reason]++;
    this.passOver(end);
  }

  /** Settles bytes that hold no line: `committed` moves behind them once all before them is settled. */
  passOver(end: number): void {
    this.#readTo = end;
    const last = this.#claims.at(-1);
    if (last === undefined) {
      this.#committed = end;
      this.#onCommit();
    } else {
      last.end = end;
    }
  }

  /** @throws if the claim was settled before: one line must not be counted twice. */
  settle(claim: Claim, outcome: Outcome): void {
    if (claim.settled) {
      throw new Error(`Cannot settle a line of ${this.fileId}: the one that ends at ${claim.end} is settled`);
    }
    claim.settled = true;
    this.ledger.inFlight--;
    if (outcome === 'delivered') this.ledger.delivered++;
    else if (outcome === 'dead_lettered') this.ledger.deadLettered++;
    else this.ledger.skipped[outcome]++;
    if (this.#claims[this.#head] === claim) this.#advance();
  }

  /** The only place that moves `committed` past claimed lines, and it stops at the first unsettled one. */
  #advance(): void {
    let claim = this.#claims[this.#head];
    while (claim?.settled) {
      this.#committed = claim.end;
      claim = this.#claims[++this.#head];
    }
    if (claim === undefined) {
      this.#claims = [];
      this.#head = 0;
    } else if (this.#head > 1024 && this.#head * 2 > this.#claims.length) {
      this.#claims.splice(0, this.#head);
      this.#head = 0;
    }
    this.#onCommit();
  }
}
