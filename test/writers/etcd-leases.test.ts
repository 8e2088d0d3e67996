import { setImmediate as breathe } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LeasePool } from '../../src/writers/etcd-leases.ts';

const never = new AbortController().signal;
const HOUR = 3_600_000;

/** A server that grants a lease after so many milliseconds, on a clock that only the test moves. */
function scripted(ttlMs: number, grantMs: () => number = () => 0) {
  let now = 0;
  const grants = new Map<string, { seconds: number; expires: number }>();
  const pool = new LeasePool({
    ttlMs,
    now: () => now,
    grant: async (seconds) => {
      const id = String(grants.size);
      // The worst case: its time begins at once, and the answer comes late.
      grants.set(id, { seconds, expires: now + seconds * 1_000 });
      now += grantMs();
      return await Promise.resolve(id);
    },
  });
  return { pool, grants, pass: (ms: number) => (now += ms), now: () => now };
}

describe('a shared lease', () => {
  it('gives a key TTL at least, and at most TTL/50 and 6 s (TTL/50 of 2 s at least) more', async () => {
    const steps = fc.array(
      fc.record({
        pause: fc.nat(5_000),
        grantMs: fc.nat(1_500),
        keys: fc.integer({ min: 1, max: 128 }),
        way: fc.float({ min: 0, max: 1, noNaN: true }),
      }),
      { minLength: 1, maxLength: 60 },
    );
    const ttls = fc.oneof(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 1, max: 100 * HOUR }));
    await fc.assert(
      fc.asyncProperty(ttls, steps, async (ttlMs, taken) => {
        let slow = 0;
        const { pool, grants, pass, now } = scripted(ttlMs, () => slow);
        for (const { pause, grantMs, keys, way } of taken) {
          pass(pause);
          slow = grantMs;
          const lease = await pool.take(keys, never);
          const { expires } = grants.get(lease.id)!;
          expect(lease.applyBefore).toBeGreaterThan(now());
          const applied = now() + way * (lease.applyBefore - now());
          expect(expires - applied).toBeGreaterThanOrEqual(ttlMs);
          expect(expires - applied).toBeLessThanOrEqual(ttlMs + Math.max(2_000, ttlMs / 50) + 6_000);
          // What was asked for in advance comes before the clock moves on: it has taken its time already.
          await breathe();
        }
      }),
    );
  });

  it.each([
    ['48 h', 48 * HOUR, 48 * HOUR + 57 * 60_000 + 42_000],
    ['10 s', 10_000, 15_000],
  ])('of TTL=%s ends when the documentation says', async (_, ttlMs, mostMs) => {
    const { pool, grants } = scripted(ttlMs);
    await pool.take(1, never);
    expect(grants.get('0')!.seconds * 1_000).toBeLessThanOrEqual(mostMs);
    expect(grants.get('0')!.seconds * 1_000).toBeGreaterThan(mostMs - 2_000);
  });

  it('is not given out for a new transaction after its span', async () => {
    const { pool, pass } = scripted(48 * HOUR);
    const first = await pool.take(1, never);
    pass((48 * HOUR) / 50 - 1);
    expect((await pool.take(1, never)).id).toBe(first.id);
    pass(1);
    expect((await pool.take(1, never)).id).not.toBe(first.id);
  });

  it('has room for eight full transactions, and the next is asked for by the second of them', async () => {
    const grants: ((id: string) => void)[] = [];
    const grant = (): Promise<string> => new Promise((resolve) => grants.push(resolve));
    const pool = new LeasePool({ ttlMs: 48 * HOUR, now: () => 0, grant });
    const first = pool.take(128, never);
    grants[0]!('1');
    const ids = [(await first).id];
    expect(grants, 'one is enough for few keys').toHaveLength(1);
    for (let n = 1; n < 8; n++) {
      ids.push((await pool.take(128, never)).id);
      expect(grants).toHaveLength(2);
    }
    expect(ids).toEqual(Array(8).fill('1'));
    grants[1]!('2');
    expect((await pool.take(128, never)).id).toBe('2');
  });

  it('is no lease where the server took longer to grant it than it may be used', async () => {
    const { pool } = scripted(10_000, () => 2_000);
    await expect(pool.take(1, never)).rejects.toThrow('granting a lease took longer than the 2000 ms');
  });
});
