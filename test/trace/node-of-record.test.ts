import { describe, expect, it } from 'vitest';
import { withText } from '../../src/record/agent-record.ts';
import { nodeOfRecord } from '../../src/trace/node-of-record.ts';
import { withRecord } from '../../src/trace/span.ts';
import type { Span } from '../../src/trace/trace-state.ts';

const source = { namespace: 'shop', pod: 'cart-1', container: 'main', node: 'n-1.example' };

/** A record as the agent stores it. */
function stored(json: string, { node = source.node, metadata = true } = {}): Buffer {
  const { suffix } = withText({ ...source, node }, metadata);
  return suffix.length === 0
    ? Buffer.from(json)
    : Buffer.concat([Buffer.from(json.slice(0, json.lastIndexOf('}'))), suffix]);
}

describe('the node of a stored record', () => {
  it('is what its agent added', () => {
    expect(nodeOfRecord(stored('{"a":1}'))).toBe('n-1.example');
    expect(nodeOfRecord(stored('{"a":{"b":1,"kubernetes":{"node":"x"}}}'))).toBe('n-1.example');
    expect(nodeOfRecord(stored('{"a":",\\"kubernetes\\":{"}'))).toBe('n-1.example');
    expect(nodeOfRecord(stored('{"a":1}', { node: '' }))).toBe('');
  });

  it.each([
    ['the agent added nothing', stored('{"a":1}', { metadata: false }).toString()],
    [
      'it is in another member',
      '{"a":{"b":1,"kubernetes":{"namespace":"n","pod":"p","container":"c","node":"x"}}}',
    ],
    ['the record has a member of its own', '{"a":1,"kubernetes":{"node":"x","host":"y"}}'],
    [
      'its own has others besides',
      '{"a":1,"kubernetes":{"namespace":"n","pod":"p","container":"c","node":"x","b":1}}',
    ],
    ['it is no text', '{"a":1,"kubernetes":{"namespace":"n","pod":"p","container":"c","node":7}}'],
    [
      'no node may be called so',
      `{"a":1,"kubernetes":{"namespace":"n","pod":"p","container":"c","node":"${'x'.repeat(254)}"}}`,
    ],
    ['it is null behind another', '{"a":1,"kubernetes":{},"kubernetes":null}'],
    ['it is null under an escaped name', String.raw`{"a":1,"kubernetes":{},"\u006bubernetes":null}`],
    ['it is a number behind another', '{"a":1,"kubernetes":{},"kubernetes":7}'],
    [
      'it is larger than any that is added',
      `{"a":1,"kubernetes":{"namespace":"n","pod":"${'x'.repeat(16_384)}","container":"c","node":"x"}}`,
    ],
    ['it is torn', '{"a":1,"kubernetes":{"namespace":"n'],
  ])('is not known where %s', (_, json) => {
    expect(nodeOfRecord(Buffer.from(json))).toBeUndefined();
  });
});

describe('the span of records', () => {
  it('has their nodes, of however many at most two thousand', () => {
    let span: Span | undefined;
    for (let n = 0; n < 2_010; n++) {
      const node = `n${n}`;
      for (const bytes of [stored('{"a":1}', { node }), stored('{"a":1}', { metadata: false })]) {
        span = withRecord(span, { unixNano: String(1_000 - n + 2_000), bytes });
      }
    }
    expect(span).toMatchObject({ first: '991', last: '3000' });
    expect([span?.nodes?.size, [...(span?.nodes ?? [])].slice(0, 2)]).toEqual([2_000, ['n0', 'n1']]);
  });

  it('tells no nodes where those of the records before are not known', () => {
    const times = { first: '5', last: '6' };
    expect(withRecord(times, { unixNano: '7', bytes: stored('{"a":1}') })).toEqual({ first: '5', last: '7' });
  });
});
