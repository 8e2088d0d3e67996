import { Ledger, type SkipReason } from './ledger.ts';

/** What became of a line that was claimed. */
export type Outcome = 'delivered' | 'dead_lettered' | SkipReason;

/** One line that is not settled yet. Opaque to all but the window that made it. */
export interface Claim {
  readonly window: InFlight;
}

/** A claim as its window sees it: a link of the chain of lines that are not committed yet. */
interface Link extends Claim {
  /** Offset behind the line, and behind all that was merged into it, in bytes. */
  end: number;
  /** Offset behind the last line that it is tied to. */
  reach: number;
  /** What of older files must be committed before: the first lines of the same record. */
  after: readonly { readonly window: InFlight; readonly end: number }[];
  settled: boolean;
  previous: Link | undefined;
  next: Link | undefined;
}

const NOTHING: Link['after'] = [];

/**
 * The lines of one file that are read and not settled, in order. They settle in any order;
 * `committed` passes only the contiguous prefix: below it every line is stored, dead-lettered or skipped.
 *
 * Lines of one record are tied. Within a file `committed` never lies between two of them: a restart would take
 * the last ones for a line of their own. Across files the newer one is committed after the older one: a restart
 * that reads only the first ones again would join them with what is next.
 *
 * Neighbours that are settled are one link, so one line that cannot be settled does not make those behind it
 * pile up in memory.
 */
export class InFlight {
  readonly fileId: string;
  readonly ledger = new Ledger();
  #committed: number;
  #head: Link | undefined;
  #last: Link | undefined;
  /** The highest that was ever committed. */
  #reached = 0;
  /** Windows of newer files that hold the end of a record of this one. */
  readonly #followers = new Set<InFlight>();
  readonly #onCommit: () => void;

  /**
   * @param committed where reading begins, in (uncompressed) bytes from the file's begin.
   * @param onCommit called when `committed` has changed; often, so it must be cheap.
   */
  constructor(fileId: string, committed: number, onCommit: () => void) {
    this.fileId = fileId;
    this.#committed = committed;
    this.#onCommit = onCommit;
  }

  /** Where a restart would begin to read. */
  get committed(): number {
    return this.#committed;
  }

  /** Behind the last line that was taken: where reading goes on within this run. */
  get readTo(): number {
    return this.#last?.end ?? this.#committed;
  }

  /** Whether every line that was claimed is settled. */
  get settled(): boolean {
    return this.#head === undefined;
  }

  /** How far all is settled but for these claims, which are this window's or others'. */
  settledTo(except: ReadonlySet<Claim>): number {
    let to = this.#committed;
    for (let link = this.#head; link !== undefined; link = link.next) {
      if (!link.settled && !except.has(link)) break;
      to = link.end;
    }
    return to;
  }

  /** Links in memory, for tests: at most twice the unsettled lines. */
  get links(): number {
    let links = 0;
    for (let link = this.#head; link !== undefined; link = link.next) links++;
    return links;
  }

  /** Takes a line whose fate is open. Lines are taken in the order of the file. */
  claim(start: number, end: number): Claim {
    const link: Link = {
      window: this,
      end,
      reach: end,
      after: NOTHING,
      settled: false,
      previous: this.#last,
      next: undefined,
    };
    this.ledger.bytes += end - start;
    this.ledger.lines++;
    this.ledger.inFlight++;
    if (this.#last === undefined) this.#head = link;
    else this.#last.next = link;
    this.#last = link;
    return link;
  }

  /** Takes a line that is settled at once, because it is no record. */
  skip(start: number, end: number, reason: SkipReason): void {
    this.ledger.bytes += end - start;
    this.ledger.lines++;
    this.ledger.skipped[reason]++;
    // Committed together with what is before it.
    if (this.#last !== undefined) {
      this.#last.end = end;
    } else {
      this.#committed = end;
      this.#onCommit();
    }
  }

  /** @throws if the claim was settled before: one line must not be counted twice. */
  settle(claim: Claim, outcome: Outcome): void {
    const link = claim as Link;
    if (link.settled) {
      throw new Error(`Cannot settle a line of ${this.fileId}: the one that ends at ${link.end} is settled`);
    }
    link.settled = true;
    this.ledger.inFlight--;
    if (outcome === 'delivered') this.ledger.delivered++;
    else if (outcome === 'dead_lettered') this.ledger.deadLettered++;
    else this.ledger.skipped[outcome]++;
    if (link.next?.settled === true) this.#merge(link, link.next);
    if (link.previous?.settled === true) this.#merge(link.previous, link);
    this.#advance();
  }

  /** These lines, of this window or others and in order, make one record. To be called before any is settled. */
  tie(claims: readonly Claim[]): void {
    let reach = 0;
    for (let i = claims.length - 1; i >= 0; i--) {
      const link = claims[i] as Link;
      const older = claims[i - 1] as Link | undefined;
      reach = link.window === claims[i + 1]?.window ? reach : link.end;
      link.reach = reach;
      if (older === undefined || older.window === link.window) continue;
      link.after = [{ window: older.window, end: older.end }];
      older.window.#followers.add(link.window);
    }
  }

  /**
   * The file was truncated to this offset: reading goes on from there.
   *
   * @throws unless everything is settled.
   */
  rewind(offset: number): void {
    if (!this.settled) throw new Error(`Cannot rewind ${this.fileId}: lines of it are in flight`);
    this.#committed = offset;
    this.#onCommit();
  }

  /** The only place that moves `committed` past claimed lines: the head, with what was merged into it. */
  #advance(): void {
    const head = this.#head;
    if (head === undefined || !head.settled || head.end < head.reach) return;
    if (head.after.some(({ window, end }) => window.#reached < end)) return;
    this.#committed = head.end;
    this.#reached = Math.max(this.#reached, head.end);
    this.#head = head.next;
    if (head.next === undefined) this.#last = undefined;
    else head.next.previous = undefined;
    unlink(head);
    this.#onCommit();
    for (const follower of this.#followers) follower.#advance();
  }

  /** Both are settled: from now on they are one. */
  #merge(link: Link, next: Link): void {
    link.end = next.end;
    link.reach = Math.max(link.reach, next.reach);
    if (next.after.length > 0) link.after = [...link.after, ...next.after];
    link.next = next.next;
    if (next.next === undefined) this.#last = link;
    else next.next.previous = link;
    unlink(next);
  }
}

/**
 * What has left the chain must not lead into it: once one such link is old to V8's collector, all that is behind
 * it would be taken for alive, and grow old too.
 */
function unlink(link: Link): void {
  link.previous = undefined;
  link.next = undefined;
}
