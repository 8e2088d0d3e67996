import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { etcdRange, tracePrefix } from '../../src/writers/etcd-key.ts';
import { etcdKey } from '../support/etcd-key.ts';
import { agentRecord, inTexts } from '../support/agent-records.ts';
import { record } from '../support/records.ts';

describe('the key of a record in etcd', () => {
  it('is logs/<traceId>/<unixNano>/<recordId>', () => {
    expect(etcdKey(record('{}', { traceId: 'abc', unixNano: '12', id: 'f-0' }))).toBe('logs/abc/12/f-0');
  });

  it.each([
    '4bf92f3577b34da6a3ce929d0e0e4736',
    'a/b',
    '/',
    '100%',
    'é',
    'with\\u0000escape',
    'x'.repeat(300),
  ])('is the same from the bytes of a trace ID as from its text: %.30s', (traceId) => {
    const one = agentRecord(traceId, 4_711);
    expect(etcdKey(one)).toBe(etcdKey(inTexts(one)));
    expect(etcdKey(one)).toBe(`${tracePrefix(one.traceId)}${one.unixNano}/${one.id}`);
  });

  it.each([
    ['a/b', 'a%2Fb'],
    ['50%', '50%25'],
    ['..', '..'],
    ['tab\tnul\0del\x7f', 'tab%09nul%00del%7F'],
    ['next line\u0085', 'next line%C2%85'],
    ['grüße 漢字 🫖', 'grüße 漢字 🫖'],
    ['half \ud83e', 'half %ED%A0%BE'],
    ['\udd96 half', '%ED%B6%96 half'],
  ])('writes the trace ID %j as %s', (traceId, segment) => {
    expect(tracePrefix(traceId)).toBe(`logs/${segment}/`);
  });

  it('keeps traces apart, whatever their IDs hold', () => {
    const id = fc.string({ unit: fc.constantFrom('a', '/', '%', '2', 'F', '\0', '\ud800', '\udc00', 'é') });
    fc.assert(
      fc.property(id, id, (a, b) => {
        const [left, right] = [Buffer.from(tracePrefix(a)), Buffer.from(tracePrefix(b))];
        const begins = right.subarray(0, left.length).equals(left);
        expect(begins).toBe(a === b);
        expect(tracePrefix(a).split('/')).toHaveLength(3);
      }),
      { numRuns: 500 },
    );
  });

  it('has a range that ends right behind the prefix', () => {
    const { key, range_end: end } = etcdRange('logs/a/');
    expect([key.toString(), end.toString()]).toEqual(['logs/a/', 'logs/a0']);
  });
});
