import { setTimeout as sleep } from 'node:timers/promises';
import type { LogWriter } from '../writers/log-writer.ts';
import { deliverAll } from './deliver-all.ts';
import { endsWithin } from './ends-within.ts';
import type { ServerUnderTest, Subject } from './subject.ts';
import type { Trial } from './trial.ts';
import type { Workbench } from './workbench.ts';

/** So long a server is down or frozen while it is written to, in milliseconds. */
const DOWN_MS = 1_500;

/** What holds of every writer while its server does not work, and after that. */
export function outageChecks({ server, repeats }: Subject): Trial[] {
  if (server === undefined) return [];
  const most = repeats === 'again' ? Infinity : 1;
  return [
    {
      title: 'a server that is down at the start: nothing settles, and it is told; then all is stored',
      run: async (bench) => {
        const records = bench.records.make(100);
        const writer = await bench.make();
        const outage = await killed(server);
        let opened: 'resolved' | 'rejected';
        try {
          opened = await endsWithin(writer.open?.(bench.patience()), bench.patienceMs + bench.soonMs);
          if (opened === 'resolved' && writer.check !== undefined) {
            const checked = await endsWithin(writer.check(bench.patience()), bench.patienceMs + bench.soonMs);
            if (checked === 'resolved')
              throw new Error('check() says that all is well, and the server is down');
          }
          if (opened === 'resolved') {
            const written = await endsWithin(
              writer.writeBatch(records, AbortSignal.timeout(DOWN_MS)),
              DOWN_MS + bench.soonMs,
            );
            if (written === 'resolved') throw new Error('a write is settled, and the server is down');
          }
        } finally {
          await outage.end();
        }
        // As the agent does: until it has opened, opening is tried again.
        if (opened !== 'resolved') await untilOpen(writer, bench);
        await deliverAll(writer, records, bench.patience());
        await writer.check?.(bench.patience());
        await bench.expectStored(records, most);
      },
    },
    {
      title: 'a server that is killed and comes back while it is written to: nothing is lost',
      run: async (bench) => {
        const writer = await bench.open();
        const batches = Array.from({ length: 30 }, () => bench.records.make(50));
        const [first = [], ...others] = batches;
        await writer.writeBatch(first, bench.patience());
        const signal = bench.patience();
        const outage = (async () => {
          await server.kill();
          await sleep(DOWN_MS);
          await server.restart();
        })();
        const lanes = Array.from({ length: 3 }, async (_, lane) => {
          for (let at = lane; at < others.length; at += 3) {
            await deliverAll(writer, others[at]!, signal);
            await sleep(20);
          }
        });
        await Promise.all([outage, ...lanes]);
        await bench.expectStored(batches.flat(), most);
      },
    },
    ...frozenChecks(server, most),
  ];
}

function frozenChecks(server: ServerUnderTest, most: number): Trial[] {
  if (server.freeze === undefined || server.thaw === undefined) return [];
  return [
    {
      title: 'a server that takes connections and answers nothing: nothing settles, and a stop ends it',
      run: async (bench) => {
        const writer = await bench.open();
        const before = bench.records.make(20);
        await writer.writeBatch(before, bench.patience());
        const records = bench.records.make(100);
        server.freeze?.();
        try {
          const written = await endsWithin(
            writer.writeBatch(records, AbortSignal.timeout(DOWN_MS)),
            DOWN_MS + bench.soonMs,
          );
          if (written === 'resolved') throw new Error('a write is settled, and the server answers nothing');
        } finally {
          server.thaw?.();
        }
        await deliverAll(writer, records, bench.patience());
        await bench.expectStored([...before, ...records], most);
      },
    },
  ];
}

/** An outage, until it is ended. */
async function killed(server: ServerUnderTest): Promise<{ end(): Promise<void> }> {
  await server.kill();
  let down = true;
  const end = async (): Promise<void> => {
    if (down) await server.restart();
    down = false;
  };
  return { end };
}

async function untilOpen(writer: LogWriter, bench: Workbench): Promise<void> {
  for (const signal = bench.patience(); ; await sleep(200)) {
    try {
      await writer.open?.(signal);
      return;
    } catch (error) {
      if (signal.aborted) throw error;
    }
  }
}
