import { describe, expect, it } from 'vitest';
import { Health } from '../../src/ops/health.ts';

describe('readiness', () => {
  it('says all that is missing, and where', () => {
    const health = new Health();
    let pods: string | undefined = 'no list yet';
    health.needs('pods', () => pods);
    const gone = health.needs('writer etcd', () => 'not reachable');
    health.needs('state', () => undefined);
    expect(health.ready()).toEqual({
      ok: false,
      reasons: [
        { part: 'pods', reason: 'no list yet' },
        { part: 'writer etcd', reason: 'not reachable' },
      ],
    });
    pods = undefined;
    gone();
    expect(health.ready()).toEqual({ ok: true, reasons: [] });
  });
});

describe('liveness', () => {
  it('fails for a part that stops moving, and comes back with it', () => {
    let nowMs = 0;
    const health = new Health(() => nowMs);
    const tails = health.watches('tails', 30_000);
    nowMs = 100_000;
    expect(health.live()).toEqual({ ok: true, reasons: [] });
    tails.moved();
    nowMs += 30_000;
    expect(health.live().ok).toBe(true);
    nowMs += 1_000;
    expect(health.live()).toEqual({
      ok: false,
      reasons: [{ part: 'tails', reason: 'has not moved for 31 s' }],
    });
    tails.moved();
    expect(health.live().ok).toBe(true);
  });

  it('does not mind a part that rests, nor a store that is down', () => {
    let nowMs = 0;
    const health = new Health(() => nowMs);
    const batcher = health.watches('batcher', 1_000);
    health.needs('writer etcd', () => 'not reachable');
    batcher.moved();
    batcher.resting();
    nowMs = 1e9;
    expect(health.live().ok).toBe(true);
    expect(health.ready().ok).toBe(false);
  });
});
