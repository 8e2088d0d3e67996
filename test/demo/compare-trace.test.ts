import { describe, expect, it } from 'vitest';
import { compareTrace, isSame, splitPlace } from '../../src/demo/compare-trace.ts';

const records = ['1', '2', '3'].map((unixNano) => ({
  pod: 'p',
  container: 'c',
  unixNano,
  json: `{"n":${unixNano}}`,
}));
const trace = { traceId: 't', title: '', failed: false, ended: true, records };
const none = { lost: 0, twice: 0, foreign: 0, outOfOrder: 0 };
const [one, two, three] = records as [(typeof records)[0], (typeof records)[0], (typeof records)[0]];

describe('comparing a stored trace with what was written', () => {
  it('finds nothing where it is the same, with or without the member that the agent adds', () => {
    const place = '{"namespace":"n","pod":"p","container":"c","node":""}';
    const withPlace = { ...two, json: `{"n":2,"kubernetes":${place}}` };
    expect(compareTrace(trace, [one, withPlace, three])).toEqual(none);
    expect(isSame(none)).toBe(true);
    expect(splitPlace(withPlace.json).place).toMatchObject({ pod: 'p', node: '' });
  });

  it.each([
    ['what is not there', [one, three], { lost: 1 }],
    ['what is there twice', [one, two, two, three], { twice: 1 }],
    ['what was altered', [one, two, { ...three, json: '{"n":4}' }], { lost: 1, foreign: 1 }],
    ['what has another time', [one, two, { ...three, unixNano: '4' }], { lost: 1, foreign: 1 }],
    ['what comes too late', [one, three, two], { outOfOrder: 1 }],
  ])('counts %s', (_what, stored, difference) => {
    expect(compareTrace(trace, stored)).toEqual({ ...none, ...difference });
    expect(isSame({ ...none, ...difference })).toBe(false);
  });
});
