import { describe, expect, it } from 'vitest';
import { traceState } from '../../src/trace/judge-trace.ts';
import type { KnownNode } from '../../src/trace/known-node.ts';
import type { NodeReport } from '../../src/writers/node-report.ts';
import { lostGap, nodeReport } from '../support/node-reports.ts';

const at = (time: string) => `2026-11-24T12:00:${time}Z`;
const nano = (time: string) => `${Date.parse(at(time))}000000`;
/** A trace of five seconds; with the grace, all nodes must be past 12:00:10. */
const span = { first: nano('00.000'), last: nano('05.000') };
const options = { nowMs: Date.parse(at('30.000')), graceMs: 5_000 };

describe('the state of a trace', () => {
  it('is complete when all nodes are past its end and the grace', () => {
    expect(judge(node('n1', { watermark: at('10.000000000') }), node('n2', { watermark: at('20') }))).toEqual(
      {
        state: 'complete',
        reason: 'all 2 nodes have stored everything up to 2026-11-24T12:00:10.000Z',
        nodes: [],
        doubts: [],
        waits: false,
        gaps: [],
        forgotten: [],
        watermark: at('10.000000000'),
      },
    );
  });

  it('is open while one is before it, by a nanosecond, and names it', () => {
    const state = judge(node('n1', { watermark: at('20') }), node('n2', { watermark: at('09.999999999') }));
    expect(state).toMatchObject({ state: 'open', nodes: ['n2'], waits: true });
    expect(state.reason).toBe(
      'n2 is not past 2026-11-24T12:00:10.000Z yet: it has stored everything up to 2026-11-24T12:00:09.999Z',
    );
  });

  it('is open while a node has just started, or was stopped a moment ago', () => {
    expect(judge(node('n1', { watermark: null }))).toMatchObject({
      state: 'open',
      reason: 'n1 has just started, and has not said how far it is',
    });
    const stopped = { watermark: at('01'), stopped: true, published: at('10.000') };
    expect(judge(gone('n1', stopped))).toMatchObject({
      state: 'open',
      reason: 'n1 was stopped 20 s ago, as for an update',
    });
    expect(judge(gone('n1', { ...stopped, published: '2026-11-24T11:50:00Z' })).state).toBe('incomplete');
  });

  it('is incomplete while a node is silent that may hold lines of it', () => {
    const state = judge(node('n1', {}), gone('n3', { watermark: at('04'), published: at('05.000') }));
    expect(state).toMatchObject({ state: 'incomplete', nodes: ['n3'], waits: false });
    expect(state.reason).toBe(
      'n3 has been silent for 25 s: it has stored everything up to 2026-11-24T12:00:04.000Z',
    );
    expect(judge(gone('n3', { watermark: null })).reason).toMatch(/never said how far it was/);
  });

  it('suspects no node that was past the end, or stopped with nothing left on it', () => {
    expect(judge(gone('n1', { watermark: at('11') })).state).toBe('complete');
    expect(judge(gone('n1', { watermark: at('01'), stopped: true, containers: 0 })).state).toBe('complete');
  });

  it('waits for no node that is forgotten, and says whose lines may be missing', () => {
    const dead = {
      watermark: at('04'),
      published: at('05.000'),
      forgotten: at('20'),
      stopped: true,
      containers: 0,
    };
    const state = judge(node('n1', {}), gone('n3', dead));
    expect(state).toMatchObject({ state: 'complete', forgotten: ['n3'], nodes: [], watermark: at('25') });
    expect(state.reason).toBe(
      'n1 has stored everything up to 2026-11-24T12:00:10.000Z; what n3 lost or had not stored does not count: somebody said that it is gone',
    );
    // It was gone before the trace began, or past its end.
    const before = gone('n3', { ...dead, published: '2026-11-24T11:59:54Z' });
    expect(judge(node('n1', {}), before).forgotten).toEqual([]);
    expect(judge(node('n1', {}), gone('n3', { ...dead, watermark: at('11') })).forgotten).toEqual([]);
    // But for a record of its own.
    const seen = { ...span, nodes: new Set(['n1', 'n3']) };
    expect(traceState(seen, { nodes: [node('n1', {}), before] }, options)).toMatchObject({
      state: 'complete',
      forgotten: ['n3'],
    });
  });

  it('is unknown where all nodes are forgotten, and not incomplete by what one is known to have lost', () => {
    const dead = {
      watermark: null,
      published: at('05.000'),
      forgotten: at('20'),
      stopped: true,
      containers: 0,
    };
    expect(judge(gone('n3', dead))).toMatchObject({
      state: 'unknown',
      reason:
        'no agent tells how far it is; what n3 lost or had not stored does not count: somebody said that it is gone',
      watermark: null,
    });
    const lossy = gone('n3', { ...dead, watermark: at('11'), gaps: [lostGap] });
    expect(judge(node('n1', {}), lossy)).toMatchObject({ state: 'complete', gaps: [], forgotten: ['n3'] });
  });

  it.each([
    ['touches its beginning', { start: '2026-11-24T11:00:00Z', end: at('00') }, 'incomplete'],
    ['is within the grace behind it', { start: at('09'), end: at('20') }, 'incomplete'],
    ['may have begun at any time', { start: null, end: at('30') }, 'incomplete'],
    ['ended before', { start: null, end: '2026-11-24T11:59:54Z' }, 'complete'],
    ['began after', { start: at('11'), end: at('12') }, 'complete'],
  ] as const)('with a gap that %s: %j', (_, times, state) => {
    const found = judge(node('n1', { gaps: [{ ...lostGap, ...times }] }));
    expect(found.state).toBe(state);
    expect(found.gaps).toHaveLength(state === 'incomplete' ? 1 : 0);
  });

  it('does not take gaps that are no longer told for none', () => {
    expect(judge(node('n1', { gapsLeftOut: 1 }))).toMatchObject({
      state: 'incomplete',
      reason: 'n1 lost lines at times that are no longer told',
      nodes: ['n1'],
    });
    const older = { ...lostGap, start: null, end: '2026-11-24T11:00:00Z' };
    expect(judge(node('n1', { gapsLeftOut: 1, gaps: [older] })).state).toBe('complete');
  });

  it('is unknown where no agent tells, or one tells what cannot be read', () => {
    expect(judge().state).toBe('unknown');
    expect(traceState(span, { nodes: [], trouble: 'not allowed' }, options).reason).toBe('not allowed');
    const strange: KnownNode = { node: 'n9', report: undefined, live: true };
    expect(judge(node('n1', {}), strange)).toMatchObject({
      state: 'unknown',
      nodes: ['n9'],
      watermark: null,
    });
  });

  it('waits for who is behind though another is lost, and says both', () => {
    const state = judge(node('n1', { watermark: at('01') }), gone('n2', { watermark: at('01') }));
    expect(state).toMatchObject({ state: 'incomplete', nodes: ['n1', 'n2'], waits: true });
  });

  it('says it in few words, of however many nodes', () => {
    const many = Array.from({ length: 500 }, (_, n) => node(`n${n}`, { watermark: at('01') }));
    const state = judge(...many);
    expect(state.reason).toMatch(/; and 497 more nodes$/);
    expect(state.doubts).toHaveLength(100);
  });
});

function judge(...nodes: KnownNode[]) {
  return traceState(span, { nodes }, options);
}

function node(name: string, known: Partial<NodeReport>): KnownNode {
  const report = nodeReport(name, { watermark: at('25'), published: at('29.000'), ...known });
  return { node: name, report, live: true };
}

function gone(name: string, known: Partial<NodeReport>): KnownNode {
  return { ...node(name, known), live: false };
}
