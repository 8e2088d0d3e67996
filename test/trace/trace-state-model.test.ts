import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { beginReading } from '../../src/trace/begin-reading.ts';
import { traceState } from '../../src/trace/judge-trace.ts';
import { liveTrace } from '../../src/trace/live-trace.ts';
import { widened, withRecord } from '../../src/trace/span.ts';
import type { Span, TraceState } from '../../src/trace/trace-state.ts';
import { Model, type Step } from './trace-state-model.ts';

const never = new AbortController().signal;
const GRACE_MS = 4;

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('time' as const), ms: fc.integer({ min: 0, max: 9 }) }),
  },
  { weight: 1, arbitrary: on('write') },
  { weight: 4, arbitrary: on('read', 'store') },
  { weight: 2, arbitrary: on('publish') },
  { weight: 8, arbitrary: on('work') },
  { weight: 1, arbitrary: on('freeze', 'thaw', 'die', 'start') },
);
const schedule = fc.array(step, { minLength: 60, maxLength: 200, size: 'max' });

describe('the state of a trace, under random schedules of three nodes', () => {
  it('is never complete while a line before its end is not in what was read', async () => {
    const said = { complete: 0, open: 0, incomplete: 0, unknown: 0 };
    await fc.assert(
      fc.asyncProperty(schedule, async (steps) => {
        const model = startedModel(steps);
        const missing: string[] = [];
        while (!model.isOver) {
          const { state, span, ids } = await readOnce(model);
          if (state === undefined || span === undefined) continue;
          said[state.state] += 1;
          if (state.state === 'complete') missing.push(...model.missing(ids, endOf(span)));
        }
        expect(missing).toEqual([]);
      }),
      { numRuns: 10_000 },
    );
    // It says something, and not always the same.
    expect(Math.min(said.complete, said.open, said.incomplete)).toBeGreaterThan(500);
  });

  it('is never complete while a node with a line in what was read has not told of itself', async () => {
    const said = { unknown: 0, wrong: 0 };
    await fc.assert(
      fc.asyncProperty(schedule, async (steps) => {
        // The third stores what it reads, and tells nothing.
        const model = new Model(
          steps.flatMap((one): Step[] => {
            if (one.do === 'publish' && one.node === 2) return [];
            if (one.do !== 'work' || one.node < 2) return [one];
            return [
              { do: 'read', node: 2 },
              { do: 'store', node: 2 },
            ];
          }),
        );
        for (const node of [0, 1]) model.step({ do: 'publish', node });
        while (!model.isOver) {
          const { state, ids } = await readOnce(model);
          if (![...ids].some((id) => id.startsWith('n3'))) continue;
          if (state?.state === 'unknown') said.unknown += 1;
          if (state?.state === 'complete') said.wrong += 1;
        }
      }),
      { numRuns: 1_000 },
    );
    expect(said.wrong).toBe(0);
    expect(said.unknown).toBeGreaterThan(100);
  });

  it('becomes complete when all nodes run again and have stored what they have', async () => {
    await fc.assert(
      fc.asyncProperty(schedule, async (steps) => {
        const model = startedModel(steps);
        model.step({ do: 'write', node: 0 });
        while (!model.isOver) model.goOn();
        model.settle();
        const { state, ids, span } = await readOnce(model);
        expect(state?.state).toBe('complete');
        expect(model.missing(ids, endOf(span!) + 1_000_000_000n)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('is as exact for who follows, whatever a watch still owes', async () => {
    let complete = 0;
    await fc.assert(
      fc.asyncProperty(schedule, async (steps) => {
        const model = startedModel(steps);
        for (const what of ['write', 'work'] as const) model.step({ do: what, node: 0 });
        const over = new Error('the schedule is over');
        model.end = () => {
          throw over;
        };
        const reader = model.reader();
        const missing: string[] = [];
        const ids = new Set(['n1-000000']);
        let span: Span | undefined = { first: `${model.clockMs}000000`, last: `${model.clockMs}000000` };
        const options = {
          traceId: 't',
          mark: '1',
          span,
          mostForNodes: 1_000,
          graceMs: GRACE_MS,
          everyMs: 0,
          now: () => model.clockMs,
        };
        const look = async (): Promise<void> => {
          for await (const event of liveTrace(reader, options, never)) {
            if ('records' in event) {
              for (const { id, unixNano } of event.records) {
                ids.add(id);
                span = widened(span, unixNano);
              }
            } else if (event.state.state === 'complete') {
              complete += 1;
              missing.push(...model.missing(ids, endOf(span!)));
            }
          }
        };
        await look().catch((error: unknown) => {
          if (error !== over) throw error;
        });
        expect(missing).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
    expect(complete).toBeGreaterThan(100);
  });
});

/** Every node has told of itself: of one that nobody has heard of, nobody can know. */
function startedModel(steps: readonly Step[]): Model {
  const model = new Model(steps);
  for (const node of [0, 1, 2]) model.step({ do: 'publish', node });
  return model;
}

async function readOnce(model: Model): Promise<{
  state: TraceState | undefined;
  span: Span | undefined;
  ids: Set<string>;
}> {
  const reader = model.reader();
  const { nodes, mark } = await beginReading(reader, never);
  const ids = new Set<string>();
  let span: Span | undefined;
  for await (const record of reader.read('t', never, { at: mark })) {
    ids.add(record.id);
    span = withRecord(span, record);
  }
  const options = { nowMs: model.clockMs, graceMs: GRACE_MS };
  return { state: span && traceState(span, nodes, options), span, ids };
}

function endOf({ last }: Span): bigint {
  return BigInt(last) + BigInt(GRACE_MS) * 1_000_000n;
}

function on(...what: Exclude<Step, { do: 'time' }>['do'][]) {
  return fc.record({ do: fc.constantFrom(...what), node: fc.integer({ min: 0, max: 2 }) });
}
