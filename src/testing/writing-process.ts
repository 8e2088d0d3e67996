import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Subject } from './subject.ts';
import { TestRecords } from './test-records.ts';
import { loadWriter } from './workbench.ts';

/** Records that are written, and so many in a batch. */
export const COUNT = 2_000;
export const BATCH = 20;

/** Writes the records of a seed, a batch at a time, and tells after each how many are settled. It is to be killed. */
async function write({
  seed,
  ...subject
}: Pick<Subject, 'writer' | 'options'> & { seed: string }): Promise<void> {
  const writer = await loadWriter(subject);
  const { signal } = new AbortController();
  await writer.open?.(signal);
  const records = new TestRecords(seed).make(COUNT);
  for (let settled = 1; settled * BATCH <= COUNT; settled++) {
    await writer.writeBatch(records.slice((settled - 1) * BATCH, settled * BATCH), signal);
    process.stdout.write(`${settled}\n`);
  }
}

const [, program = '', task] = process.argv;
if (task !== undefined && realpathSync(program) === realpathSync(fileURLToPath(import.meta.url))) {
  await write(JSON.parse(task) as Parameters<typeof write>[0]);
}
