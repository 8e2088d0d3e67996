import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { liveTrace } from '../../src/trace/live-trace.ts';
import { lookForNodes } from '../../src/trace/look-for-nodes.ts';
import type { KnownNode, Nodes } from '../../src/trace/known-node.ts';
import type { StoredRecord } from '../../src/trace/stored-record.ts';
import type { TraceReader } from '../../src/trace/trace-reader.ts';
import { nodeReport } from '../support/node-reports.ts';

const signal = new AbortController().signal;
const now = Date.now();
const span = { first: `${now - 60_000}000000`, last: `${now - 50_000}000000` };
const told = (...names: string[]): Nodes => ({
  nodes: names.map((node): KnownNode => ({ node, report: nodeReport(node), live: true })),
});
const look = { traceId: 't', mark: 'm', most: 100, nowMs: now, graceMs: 0 };

/** One record of each of these nodes. */
function recordsOf(...nodes: string[]): StoredRecord[] {
  return nodes.map((node, n) => ({
    unixNano: `${now - 60_000 + n}000000`,
    id: String(n),
    bytes: Buffer.from(
      `{"a":1,"kubernetes":${JSON.stringify({ namespace: 'n', pod: 'p', container: 'c', node })}}`,
    ),
  }));
}

/** A reader of these records that counts what is read of them. */
function readerOf(records: readonly StoredRecord[]) {
  const reader = {
    read: 0,
    marks: [] as (string | undefined)[],
  };
  return {
    count: reader,
    reader: {
      async *read(_traceId, _signal, { at } = {}) {
        reader.marks.push(at);
        for (const record of records) {
          await Promise.resolve();
          reader.read += 1;
          yield record;
        }
      },
    } satisfies Pick<TraceReader, 'read'>,
  };
}

/** The first state that is told, and after how many looks; the nodes told at each look, the last for good. */
async function firstState(records: readonly StoredRecord[], looks: readonly Nodes[]) {
  let asked = 0;
  const reader = {
    ...readerOf(records).reader,
    nodes: () => Promise.resolve(looks[Math.min(asked++, looks.length - 1)]!),
    now: () => Promise.resolve('m'),
    async *between() {},
    async *follow(_traceId: string, _mark: string, until: AbortSignal) {
      await sleep(60_000, undefined, { signal: until });
      yield { records: [], mark: 'm' };
    },
  };
  const options = {
    traceId: 't',
    mark: 'm',
    span,
    mostForNodes: 10,
    graceMs: 0,
    everyMs: 1,
    now: () => now,
  };
  for await (const event of liveTrace(reader, options, signal)) {
    if ('state' in event) return { state: event.state.state, asked };
  }
  return undefined;
}

describe('a trace of which only the times are known', () => {
  it('is complete where all nodes of its records tell of themselves', async () => {
    const { reader, count } = readerOf(recordsOf('a', 'b', 'a'));
    const { state, span: known } = await lookForNodes(
      reader,
      { span, nodes: told('a', 'b', 'c') },
      look,
      signal,
    );
    expect(state).toMatchObject({
      state: 'complete',
      reason: expect.not.stringContaining('looked') as string,
    });
    expect([...known.nodes!]).toEqual(['a', 'b']);
    expect(count).toEqual({ read: 3, marks: ['m'] });
  });

  it('is unknown where one does not, which is named', async () => {
    const { reader } = readerOf(recordsOf('a', 'b'));
    const { state } = await lookForNodes(reader, { span, nodes: told('a') }, look, signal);
    expect(state).toMatchObject({
      state: 'unknown',
      nodes: ['b'],
      doubts: [{ node: 'b', why: 'untold', waits: false, watermark: null }],
      watermark: null,
    });
    expect(state.reason).toMatch(/^b has stored records and tells nothing of itself: /);
  });

  it('is read no further than is asked for, and says so', async () => {
    const { reader, count } = readerOf(recordsOf('a', 'a', 'b'));
    const { state } = await lookForNodes(reader, { span, nodes: told('a') }, { ...look, most: 2 }, signal);
    expect(state.state).toBe('complete');
    expect(state.reason).toMatch(/; of which nodes its lines are was looked at in the first 2$/);
    expect(count.read).toBe(3);
    const whole = await lookForNodes(
      readerOf(recordsOf('a', 'a')).reader,
      { span, nodes: told('a') },
      { ...look, most: 2 },
      signal,
    );
    expect(whole.state.reason).not.toContain('looked at');
  });

  it('is read no longer than there is time for it, and says so; what goes wrong otherwise is told', async () => {
    const reader = {
      async *read(_traceId: string, until: AbortSignal) {
        yield* recordsOf('a', 'a');
        await sleep(60_000, undefined, { signal: until });
      },
    };
    const enough = AbortSignal.timeout(20);
    const options = { span, nodes: told('a') };
    const { state } = await lookForNodes(reader, options, { ...look, enough }, signal);
    expect(state.state).toBe('complete');
    expect(state.reason).toMatch(/; of which nodes its lines are was looked at in the first 2$/);
    const gone = AbortSignal.timeout(20);
    await expect(lookForNodes(reader, options, { ...look, enough: signal }, gone)).rejects.toThrow('abort');
  });

  it('is unknown where there was not even time for its first record, and looked at again', async () => {
    let slow = true;
    const reader = {
      async *read(_traceId: string, until: AbortSignal) {
        if (slow) await sleep(60_000, undefined, { signal: until });
        yield* recordsOf('a');
      },
    };
    const nodes = told('a');
    const first = await lookForNodes(
      reader,
      { span, nodes },
      { ...look, enough: AbortSignal.timeout(20) },
      signal,
    );
    expect(first.state).toMatchObject({
      state: 'unknown',
      reason: 'of which nodes its lines are could not be seen in time: the store is slow',
    });
    slow = false;
    const second = await lookForNodes(reader, { span: first.span, nodes }, look, signal);
    expect(second.state.state).toBe('complete');
  });

  it('is not read where it is not complete anyhow, or its nodes are known', async () => {
    const { reader, count } = readerOf(recordsOf('b'));
    const later = { ...span, last: `${now + 60_000}000000` };
    expect((await lookForNodes(reader, { span: later, nodes: told('a') }, look, signal)).state.state).toBe(
      'open',
    );
    const known = { ...span, nodes: new Set(['a']) };
    expect((await lookForNodes(reader, { span: known, nodes: told('a') }, look, signal)).state.state).toBe(
      'complete',
    );
    expect(count.read).toBe(0);
  });
});

describe('a trace that is followed', () => {
  it('is not complete while a node of its records tells nothing', async () => {
    expect(await firstState(recordsOf('a', 'b'), [told('a')])).toEqual({ state: 'unknown', asked: 2 });
  });

  it('gives an agent that has just started a second look to tell of itself', async () => {
    const looks = [told('a'), told('a', 'b')];
    expect(await firstState(recordsOf('a', 'b'), looks)).toEqual({ state: 'complete', asked: 2 });
  });
});
