import { orAborted } from '../util/or-aborted.ts';
import { encodeLease } from './etcd-put-request.ts';

/**
 * Most keys on one lease, those of eight full transactions: its expiry stops the server's writes for about 4.5 ms per
 * 1,000 (etcd issue 15993).
 */
const KEYS_PER_LEASE = 1_024;
/**
 * With so many used, the next lease is asked for, so that nobody has to wait for it: a busy server grants it behind
 * the transactions that it was sent before.
 */
const KEYS_BEFORE_NEXT = KEYS_PER_LEASE / 4;

/** A granted lease that keys may still be put under. */
export interface Lease {
  readonly id: string;
  /** It, as each put of a request has it. */
  readonly field: Buffer;
  /** A put must be applied before this time, on the clock of `now`, in milliseconds. */
  readonly applyBefore: number;
}

interface OpenLease extends Lease {
  /** New transactions may take it before this time. */
  readonly takeBefore: number;
  keys: number;
}

export interface LeasePoolOptions {
  /** Least life of a key, in milliseconds, above 0. */
  readonly ttlMs: number;
  /** Asks the server for a lease of so many seconds; resolves with its ID. */
  readonly grant: (seconds: number, signal: AbortSignal) => Promise<string>;
  /** A clock that never goes back, in milliseconds. */
  readonly now?: () => number;
}

/**
 * Leases shared by the keys of a span of time, of at most 1,024 keys each.
 *
 * The span is TTL/50, at least 2 s; a transaction has TTL/10 for its way, at least 2 s and at most 5 s; a lease
 * is granted for TTL + span + way, rounded up to a second. So a key lives at least TTL, and at most
 * TTL + span + way + 1 s: with 48 h at most 48 h 57 min 42 s, with 10 s at most 15 s. (etcd itself deletes what
 * has expired within about a second, and gives every lease its full time again when it elects a leader.)
 */
export class LeasePool {
  readonly #spanMs: number;
  readonly #wayMs: number;
  readonly #seconds: number;
  readonly #grant: LeasePoolOptions['grant'];
  readonly #now: () => number;
  readonly #closed = new AbortController();
  #current: OpenLease | undefined;
  #next: OpenLease | undefined;
  #granting: Promise<void> | undefined;

  constructor({ ttlMs, grant, now = () => performance.now() }: LeasePoolOptions) {
    this.#spanMs = Math.max(2_000, ttlMs / 50);
    this.#wayMs = Math.min(Math.max(2_000, ttlMs / 10), 5_000);
    this.#seconds = Math.ceil((ttlMs + this.#spanMs + this.#wayMs) / 1_000);
    this.#grant = grant;
    this.#now = now;
  }

  /**
   * A lease with room for so many keys, which it then counts as used.
   *
   * @param keys 1 to 1,024.
   * @throws what `grant` throws; Error where the server takes longer to grant a lease than it may be used; the
   *   signal's reason.
   */
  async take(keys: number, signal: AbortSignal): Promise<Lease> {
    for (;;) {
      if (!this.#hasRoom(this.#current, keys) && this.#hasRoom(this.#next, keys)) {
        this.#current = this.#next;
        this.#next = undefined;
      }
      const lease = this.#current;
      if (this.#hasRoom(lease, keys)) {
        lease.keys += keys;
        if (lease.keys >= KEYS_BEFORE_NEXT && !this.#hasRoom(this.#next, KEYS_PER_LEASE)) {
          // It is fetched in advance: whoever comes to need it asks again, and hears of the failure.
          void this.#fetch().catch(() => undefined);
        }
        return lease;
      }
      await orAborted(this.#fetch(), signal);
    }
  }

  /** The server has it no longer. */
  forget({ id }: Lease): void {
    if (this.#current?.id === id) this.#current = undefined;
    if (this.#next?.id === id) this.#next = undefined;
  }

  /** Ends a grant that is under way. Leases end by themselves, with their keys. */
  close(): void {
    this.#closed.abort(new Error('the writer is closed'));
  }

  #hasRoom(lease: OpenLease | undefined, keys: number): lease is OpenLease {
    return lease !== undefined && lease.keys + keys <= KEYS_PER_LEASE && this.#now() < lease.takeBefore;
  }

  /** One grant at a time, shared by all who wait. */
  #fetch(): Promise<void> {
    this.#granting ??= this.#fetchNext().finally(() => (this.#granting = undefined));
    return this.#granting;
  }

  async #fetchNext(): Promise<void> {
    // The lease's time begins when the server grants it, which is not before now.
    const asked = this.#now();
    const id = await this.#grant(this.#seconds, this.#closed.signal);
    const takeBefore = asked + this.#spanMs;
    if (this.#now() >= takeBefore) {
      throw new Error(`granting a lease took longer than the ${this.#spanMs} ms it may be used for`);
    }
    this.#next = { id, field: encodeLease(id), takeBefore, applyBefore: takeBefore + this.#wayMs, keys: 0 };
  }
}
