import { describe, expect, it } from 'vitest';
import { viewRecord } from '../../src/trace/record-view.ts';

describe('the view of a record', () => {
  it.each([
    [{ level: 'info' }, 'INFO'],
    [{ level: 'Warning' }, 'WARN'],
    [{ level: 30 }, 'INFO'],
    [{ level: 60 }, 'FATAL'],
    [{ level: 35 }, 'INFO'],
    [{ severity: 'CRITICAL' }, 'FATAL'],
    [{ 'log.level': 'debug' }, 'DEBUG'],
    [{ severityText: 'ERROR' }, 'ERROR'],
    [{ level: { a: 1 } }, ''],
    [{ level: 'audit' }, 'AUDIT'],
    [{}, ''],
  ])('takes the level of %j as %j', (record, level) => {
    expect(viewRecord(JSON.stringify(record)).level).toBe(level);
  });

  it('takes message and place out, and leaves the other members in their order', () => {
    const kubernetes = { namespace: 'n', pod: 'p-1', container: 'main', node: 'x' };
    const record = { time: 't', z: 1, level: 'info', msg: 'hello', traceId: 'a', b: { c: [1] }, kubernetes };
    expect(viewRecord(JSON.stringify(record))).toEqual({
      level: 'INFO',
      message: 'hello',
      namespace: 'n',
      pod: 'p-1',
      container: 'main',
      stack: '',
      fields: [
        ['z', 1],
        ['b', { c: [1] }],
      ],
    });
  });

  it('shows what a record has of its own under the name kubernetes', () => {
    expect(viewRecord('{"msg":"m","kubernetes":"mine"}').fields).toEqual([['kubernetes', 'mine']]);
  });

  it('shows what is no JSON as the message', () => {
    expect(viewRecord('{"broken').message).toBe('{"broken');
  });
});
