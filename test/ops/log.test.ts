import { afterEach, describe, expect, it, vi } from 'vitest';
import { createLog } from '../../src/ops/log.ts';
import { louder } from '../../src/ops/louder.ts';
import { Threshold } from '../../src/ops/threshold.ts';
import { Troubles } from '../../src/ops/troubles.ts';

function capture() {
  const lines: string[] = [];
  return { lines, write: (line: string) => void lines.push(line) };
}

describe('the log', () => {
  it('writes one JSON object a line, with level by name, an RFC 3339 time and the error whole', async () => {
    const out = capture();
    const log = await createLog({ level: 'info', pretty: false, destination: out });
    log.child({ part: 'pods' }).warn({ err: new Error('Cannot list: it is off') }, 'no pods\nyet');

    expect(out.lines).toHaveLength(1);
    const line: unknown = JSON.parse(out.lines[0] ?? '');
    expect(line).toMatchObject({
      level: 'warn',
      part: 'pods',
      msg: 'no pods\nyet',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      err: { message: 'Cannot list: it is off', stack: expect.stringContaining('log.test.ts') },
    });
    expect(line).not.toHaveProperty('pid');
  });

  it('leaves out what is below its level', async () => {
    const out = capture();
    const log = await createLog({ level: 'error', pretty: false, destination: out });
    log.warn('unheard');
    log.error('heard');
    expect(out.lines.join('')).toMatch(/^[^\n]*heard[^\n]*\n$/);
  });

  it('is readable for people when pretty', async () => {
    const out = capture();
    const log = await createLog({ level: 'info', pretty: true, destination: out });
    log.info({ part: 'tail', files: 3 }, 'following');
    const text = out.lines.join('');
    expect(text).toContain('following');
    expect(text).toContain('INFO');
    expect(() => JSON.parse(text)).toThrow();
  });
});

describe('a louder log', () => {
  afterEach(() => void vi.useRealTimers());

  it('tells more for ten minutes, of children made before too, and says so', async () => {
    vi.useFakeTimers();
    const out = capture();
    const threshold = new Threshold('error');
    const log = await createLog({ level: threshold, pretty: false, destination: out });
    const child = log.child({ part: 'tail' });
    const tellMore = louder(log, threshold);
    child.debug('before');
    tellMore();
    child.debug('after');
    vi.advanceTimersByTime(500_000);
    tellMore();
    vi.advanceTimersByTime(500_000);
    child.debug('still');
    vi.advanceTimersByTime(100_000);
    child.debug('over');
    expect(out.lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
      'SIGUSR1: for ten minutes the log tells all from the level debug on.',
      'after',
      'SIGUSR1: for ten minutes the log tells all from the level debug on.',
      'still',
      'The ten minutes are over: the log tells as much as before.',
    ]);
  });

  it('goes to trace where debug is usual', () => {
    const threshold = new Threshold('debug');
    threshold.raise();
    expect(threshold.level).toBe('trace');
    threshold.restore();
    expect(threshold.level).toBe('debug');
  });
});

describe('the last troubles', () => {
  it('are the lines of level warn and above, the latest first, and no more than fifty', async () => {
    const troubles = new Troubles();
    const levels: string[] = [];
    const log = await createLog({
      level: 'info',
      pretty: true,
      destination: capture(),
      onTrouble: (level, line) => {
        levels.push(level);
        troubles.add(line);
      },
    });
    for (let i = 0; i < 60; i++) log.info(`fine ${i}`);
    for (let i = 0; i < 60; i++) log.warn({ i }, 'hm');
    log.error({ err: new Error('Cannot: it is off'), pod: 'p' }, 'bad "quoted"\n{"level":"warn"');
    expect(levels).toHaveLength(61);
    expect(troubles.list()).toHaveLength(50);
    expect(troubles.list()[0]).toMatchObject({
      level: 'error',
      message: 'bad "quoted"\n{"level":"warn"',
      details: { err: 'Cannot: it is off', pod: 'p' },
    });
    expect(troubles.list().at(-1)).toMatchObject({ level: 'warn', details: { i: 11 } });
  });
});
