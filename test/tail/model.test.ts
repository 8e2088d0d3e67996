import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ScriptedContainer, type Step } from '../support/scripted-container.ts';

const stream = fc.constantFrom('stdout' as const, 'stderr' as const);
const of = <K extends Step['kind']>(kind: K): fc.Arbitrary<K> => fc.constant(kind);

/** Random life of a container, its files, its store and the agent. */
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: of('write'),
      stream,
      count: fc.integer({ min: 1, max: 60 }),
      pad: fc.nat(40),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: of('pieces'), stream, cuts: fc.array(fc.nat(100), { maxLength: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: of('tear'), at: fc.nat(200) }) },
  { weight: 5, arbitrary: fc.record({ kind: of('rotate'), late: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ kind: of('compress') }) },
  { weight: 1, arbitrary: fc.record({ kind: of('copytruncate') }) },
  { weight: 2, arbitrary: fc.record({ kind: of('remove oldest') }) },
  { weight: 1, arbitrary: fc.record({ kind: of('next run') }) },
  { weight: 2, arbitrary: fc.record({ kind: of('kill'), stale: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: of('stop') }) },
  { weight: 2, arbitrary: fc.record({ kind: of('store'), down: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: of('wait'), ms: fc.nat(60) }) },
);

/** More runs and another seed by the environment: MODEL_RUNS=200 MODEL_SEED=1 npx vitest run test/tail/model.test.ts */
const numRuns = Number(process.env['MODEL_RUNS'] ?? 12);
const seed = process.env['MODEL_SEED'];

it(
  'stores every record once and unaltered, whatever happens to the files, the store and the agent',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }), async (steps) => {
        const container = new ScriptedContainer();
        for (const next of steps) await container.take(next);
        await container.end();
        expect(container.faults).toEqual([]);
      }),
      { numRuns, endOnFailure: true, ...(seed === undefined ? {} : { seed: Number(seed) }) },
    );
  },
  60_000 + numRuns * 5_000,
);
