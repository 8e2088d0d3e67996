import { type Metrics, setTotal } from './metrics.ts';

/** The account of lines, as src/offsets keeps it. */
interface Account {
  readonly bytes: number;
  readonly lines: number;
  readonly records: number;
  readonly delivered: number;
  readonly deadLettered: number;
  readonly inFlight: number;
  readonly skipped: Readonly<Record<string, number>>;
}

/** Brings the account into the metrics, all of one moment: it adds up at every scrape. */
export function showLedger(metrics: Metrics, account: Account): void {
  setTotal(metrics.bytesRead, account.bytes);
  setTotal(metrics.linesRead, account.lines);
  setTotal(metrics.records, account.records);
  setTotal(metrics.linesDelivered, account.delivered);
  setTotal(metrics.linesDeadLettered, account.deadLettered);
  metrics.linesInFlight.set(account.inFlight);
  for (const [reason, lines] of Object.entries(account.skipped))
    setTotal(metrics.linesSkipped, lines, { reason });
}
