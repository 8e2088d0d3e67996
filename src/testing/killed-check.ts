import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { deliverAll } from './deliver-all.ts';
import type { Subject } from './subject.ts';
import { TestRecords } from './test-records.ts';
import type { Trial } from './trial.ts';
import { BATCH, COUNT } from './writing-process.ts';

/** It is killed when it has settled so many batches. */
const SETTLED = 10;

/** What is settled is durable: the writing process is killed while it writes, and its records are written again. */
export function killedCheck({ writer, repeats }: Subject): Trial {
  return {
    title: 'what was settled is stored when the writing process is killed, and can be written again',
    run: async (bench) => {
      const { options } = bench.subject;
      const seed = new TestRecords().seed;
      const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
      const program = fileURLToPath(new URL(`./writing-process.${extension}`, import.meta.url));
      const child = spawn(process.execPath, [program, JSON.stringify({ writer, options, seed })], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const closed = once(child, 'close');
      let said = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2_000)));
      const patience = setTimeout(() => child.kill('SIGKILL'), bench.patienceMs);
      let settled = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        settled = Number(line);
        if (settled >= SETTLED) child.kill('SIGKILL');
      }
      clearTimeout(patience);
      await closed;
      if (settled < SETTLED) {
        throw new Error(`the writing process settled ${settled} batches of ${SETTLED}. ${said}`);
      }
      const records = new TestRecords(seed).make(COUNT);
      await bench.expectStored(records.slice(0, settled * BATCH));

      const another = await bench.open();
      // As after a restart: not in the same batches, where the writer does not ask for that.
      const size = repeats === 'batch' ? BATCH : BATCH + 7;
      for (let from = 0; from < records.length; from += size) {
        await deliverAll(another, records.slice(from, from + size), bench.patience());
      }
      await bench.expectStored(records, repeats === 'again' ? Infinity : 1);
    },
  };
}
