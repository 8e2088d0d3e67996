import { describe, expect, it } from 'vitest';
import { WriterHealth } from '../../src/deliver/writer-health.ts';
import { PartialWriteError } from '../../src/writers/log-writer.ts';
import { keptLog } from '../support/logs.ts';
import { record } from '../support/records.ts';

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

  it('says why a part was not written, without the records and a place in the code', async () => {
    const { log, lines } = await keptLog();
    const health = new WriterHealth('opensearch', log);
    const stored = Array.from({ length: 100 }, (_, n) => record(`{"n":${n}}`));
    health.failed(new PartialWriteError('a privilege is missing', { stored }), 'write');
    expect(lines.at(-1)?.['err']).toEqual({ type: 'Error', message: 'a privilege is missing', stack: '' });
    const cause = new Error('the bucket is gone');
    health.failed(new PartialWriteError('one of two objects is stored', { stored }, { cause }), 'write');
    expect(lines.at(-1)?.['err']).toMatchObject({ type: 'Error', message: 'the bucket is gone' });
    expect(JSON.stringify(lines)).not.toContain('traceId');
  });
});
