/** Why a line is no record. */
export const SKIP_REASONS = [
  'not_json',
  'not_object',
  'no_trace_id',
  'no_time',
  'bad_time',
  'too_long',
] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

/**
 * The account of lines. At every moment `lines = delivered + skipped (all reasons) + deadLettered + inFlight`;
 * a line counts once, with the fate of the record it is part of.
 */
export class Ledger {
  /** Bytes of all lines, with their terminators. */
  bytes = 0;
  lines = 0;
  /** Records made; one may take several lines. */
  records = 0;
  delivered = 0;
  deadLettered = 0;
  inFlight = 0;
  readonly skipped: Record<SkipReason, number> = {
    not_json: 0,
    not_object: 0,
    no_trace_id: 0,
    no_time: 0,
    bad_time: 0,
    too_long: 0,
  };

  /** Adds another account to this one. */
  add(other: Ledger): void {
    this.bytes += other.bytes;
    this.lines += other.lines;
    this.records += other.records;
    this.delivered += other.delivered;
    this.deadLettered += other.deadLettered;
    this.inFlight += other.inFlight;
    for (const reason of SKIP_REASONS) this.skipped[reason] += other.skipped[reason];
  }

  get skippedTotal(): number {
    return SKIP_REASONS.reduce((sum, reason) => sum + this.skipped[reason], 0);
  }

  /** 0 unless the account is wrong, which would be a bug. */
  get imbalance(): number {
    return this.lines - this.delivered - this.skippedTotal - this.deadLettered - this.inFlight;
  }
}
