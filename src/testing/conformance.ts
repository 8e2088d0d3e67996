import { contractChecks } from './contract-checks.ts';
import { endsWithin } from './ends-within.ts';
import { killedCheck } from './killed-check.ts';
import { mistakeChecks } from './mistake-checks.ts';
import { outageChecks } from './outage-checks.ts';
import { slowChecks } from './slow-checks.ts';
import type { Mistake, ServerUnderTest, SlowWay, Subject } from './subject.ts';
import { Workbench } from './workbench.ts';

export type { Mistake, ServerUnderTest, SlowWay, Subject };

/** One thing that a writer must do. */
export interface Check {
  readonly title: string;
  /** Rejects with what is wrong. */
  readonly run: () => Promise<void>;
}

/**
 * What every writer must do, as far as the subject lets it be tested; for any test runner, one check after the other:
 *
 *     for (const { title, run } of conformance(subject)) test(title, run);
 */
export function conformance(subject: Subject): readonly Check[] {
  const trials = [
    ...contractChecks(subject),
    ...mistakeChecks(subject),
    killedCheck(subject),
    ...outageChecks(subject),
    ...slowChecks(subject),
  ];
  return trials.map(({ title, run }) => ({
    title,
    run: async () => {
      const bench = new Workbench(subject);
      const trial = run(bench);
      // A writer may hang whatever it is told.
      try {
        await endsWithin(trial, 3 * bench.patienceMs);
        await trial;
      } finally {
        await bench.close();
      }
    },
  }));
}
