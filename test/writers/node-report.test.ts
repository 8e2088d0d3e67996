import { describe, expect, it } from 'vitest';
import {
  encodeNodeReport,
  knownNodeKey,
  knownNodesPrefix,
  type NodeGap,
  nodeKey,
  type NodeReport,
  nodeReportPath,
  nodeReportsDirectory,
  nodesPrefix,
  parseNodeReport,
} from '../../src/writers/node-report.ts';

const report: NodeReport = {
  version: 1,
  node: 'n1',
  agent: '1.2.3',
  since: '2026-11-24T10:00:00.000Z',
  published: '2026-11-24T12:00:00.500Z',
  leaseSeconds: 15,
  watermark: '2026-11-24T11:59:59.300000000Z',
  lagSeconds: 1.2,
  containers: 12,
  stopped: false,
  gaps: [],
  gapsLeftOut: 0,
};

const gap: NodeGap = {
  namespace: 'shop',
  pod: 'cart',
  container: 'main',
  file: '0.log',
  from: 10,
  to: null,
  start: null,
  end: '2026-11-24T11:00:00.000Z',
  reason: 'removed_while_down',
};

describe('the report of a node', () => {
  it('is read as it was written', () => {
    const told = { ...report, gaps: [gap, { ...gap, to: 20, start: gap.end }] };
    expect(parseNodeReport(encodeNodeReport(told))).toEqual(told);
    const young = { ...report, watermark: null, lagSeconds: null };
    expect(parseNodeReport(encodeNodeReport(young))).toEqual(young);
  });

  it('holds the latest hundred gaps, and counts the others', () => {
    const gaps = Array.from({ length: 250 }, (_, from) => ({ ...gap, from }));
    const told = parseNodeReport(encodeNodeReport({ ...report, gaps, gapsLeftOut: 3 }))!;
    expect(told.gaps).toEqual(gaps.slice(0, 100));
    expect(told.gapsLeftOut).toBe(153);
  });

  it('is never longer than 32 KiB, whatever the names in it', () => {
    const gaps = Array.from({ length: 90 }, () => ({ ...gap, pod: 'ü'.repeat(400) }));
    const text = encodeNodeReport({ ...report, gaps });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(32 * 1024);
    const told = parseNodeReport(text)!;
    expect(told.gaps.length).toBeGreaterThan(10);
    expect(told.gaps.length + told.gapsLeftOut).toBe(90);
  });

  it.each([
    '2026',
    '0',
    '-1',
    'Nov 24 2026',
    '2026-11-24 (x)',
    '2026-11-24T12:00:00',
    '2026-13-24T12:00:00Z',
  ])('with «%s» for a time is none', (time) => {
    expect(parseNodeReport(JSON.stringify({ ...report, watermark: time }))).toBeUndefined();
    expect(parseNodeReport(JSON.stringify({ ...report, published: time }))).toBeUndefined();
  });

  it.each([
    ['no JSON', '{'],
    ['no object', 'null'],
    ['of a later version', JSON.stringify({ ...report, version: 2 })],
    ['without a time that can be read', JSON.stringify({ ...report, published: 'now' })],
    ['with a watermark that is none', JSON.stringify({ ...report, watermark: 5 })],
    ['without gaps', JSON.stringify({ ...report, gaps: undefined })],
    ['with a gap that is none', JSON.stringify({ ...report, gaps: [{ ...gap, end: 7 }] })],
  ])('is not taken for one where it is %s', (_, text) => {
    expect(parseNodeReport(text)).toBeUndefined();
  });

  it('has keys, and a file, by the name of its node', () => {
    expect(nodeKey('n1')).toBe(`${nodesPrefix}n1`);
    expect(nodesPrefix).toBe('frostbeat/nodes/');
    expect(knownNodeKey('a/b%')).toBe(`${knownNodesPrefix}a%2Fb%25`);
    expect(knownNodesPrefix).toBe('frostbeat/known-nodes/');
    expect(nodeReportsDirectory('/state/records.ndjson')).toBe('/state/records.ndjson.nodes');
    expect(nodeReportsDirectory('/state/{node}.ndjson')).toBe('/state/{node}.ndjson.nodes');
    expect(nodeReportsDirectory('/a/{node}/{date}/all.ndjson')).toBe('/a/{node}-{date}-all.ndjson.nodes');
    expect(nodeReportPath('/state/records.ndjson', '../n')).toBe('/state/records.ndjson.nodes/..%2Fn.json');
  });
});
