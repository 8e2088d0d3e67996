import { describe, expect, it } from 'vitest';
import { WriterHealth } from '../../src/deliver/writer-health.ts';
import { keptLog } from '../support/logs.ts';

describe('the health of a writer', () => {
  it('says each failure once while it lasts, in whatever order they come, and the end', async () => {
    const { log, lines } = await keptLog();
    const health = new WriterHealth('etcd', log);
    for (let second = 0; second < 30; second++) {
      health.failed(new Error('no answer'), 'probe', second * 1_000);
      health.failed(new Error('no connection'), 'write', second * 1_000 + 500);
    }
    expect(lines.map(({ level }) => level)).toEqual(['warn', 'warn']);
    expect(health.failure).toBe('no connection');
    health.reachable(31_000);
    expect(health.failure, 'a probe ends no failure to write').toBe('no connection');
    health.worked(32_000);
    expect(health.failure).toBeUndefined();
    expect(lines.at(-1)).toMatchObject({ level: 'info', failures: 60, failedForMs: 32_000 });
  });

  it('reminds of a failure that lasts', async () => {
    const { log, lines } = await keptLog();
    const health = new WriterHealth('etcd', log);
    for (let second = 0; second <= 120; second++) health.failed(new Error('away'), 'probe', second * 1_000);
    expect(lines).toHaveLength(3);
  });

  it('does not say each time what comes and goes with every batch', async () => {
    const { log, lines } = await keptLog();
    const health = new WriterHealth('etcd', log);
    for (let ms = 0; ms < 30_000; ms += 100) {
      health.failed(new Error('one batch'), 'write', ms);
      health.worked(ms + 50);
    }
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(3);
    expect(lines.length).toBe(6);
  });
});
