import { describe, expect, it } from 'vitest';
import { createLog } from '../../src/ops/log.ts';

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
