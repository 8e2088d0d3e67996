import type { LogRecord } from '../record/log-record.ts';
import { steadyNow } from '../util/steady-now.ts';
import type { LogWriter, WriterOptions } from '../writers/log-writer.ts';
import { deliverAll } from './deliver-all.ts';
import { endsWithin } from './ends-within.ts';
import { LATE_MS, type SlowProxy, startSlowProxy } from './slow-proxy.ts';
import type { Subject } from './subject.ts';
import type { Trial } from './trial.ts';

/** No answer can have come before that; timers are exact to a millisecond. */
const SOONEST_MS = 2 * LATE_MS - 10;

/** What holds of every writer while its server answers all that it is asked, late. */
export function slowChecks({ slow, repeats }: Subject): Trial[] {
  if (slow === undefined) return [];
  // Who looks at its start for what is there may look before what is late has arrived.
  const most = repeats === 'once' || repeats === 'batch' ? 1 : Infinity;
  const throughProxy = async (run: (proxy: SlowProxy, options: WriterOptions) => Promise<void>) => {
    const proxy = await startSlowProxy(slow.server, slow.port);
    try {
      await run(proxy, slow.options(proxy.port));
    } finally {
      await proxy.close();
    }
  };
  return [
    {
      title:
        'a server that answers late: nothing settles before it has answered, and each record is there once',
      run: async (bench) =>
        await throughProxy(async (_, options) => {
          const writer = await bench.open(options);
          const batches = Array.from({ length: 3 }, () => bench.records.make(50));
          const settled = batches.map(async (batch) => {
            const begun = steadyNow();
            await deliverAll(writer, batch, bench.patience());
            const tookMs = steadyNow() - begun;
            if (tookMs < SOONEST_MS)
              throw new Error(
                `a write is settled after ${Math.round(tookMs)} ms: no answer can have come before that`,
              );
            await bench.expectStored(batch, most);
          });
          await Promise.all(settled);
        }),
    },
    {
      title:
        'a write to a server that answers late ends soon when it is told to; what is beside it is stored',
      run: async (bench) =>
        await throughProxy(async (proxy, options) => {
          const writer = await bench.open(options);
          const [stopped, beside] = [bench.records.make(50), bench.records.make(50)];
          proxy.hold();
          const stopping = isStopped(writer, stopped, bench.soonMs).finally(() => proxy.release());
          await Promise.all([stopping, deliverAll(writer, beside, bench.patience())]);
          // As after a restart.
          await deliverAll(await bench.open(options), stopped, bench.patience());
          await bench.expectStored([...stopped, ...beside], most);
        }),
    },
    ...(slow.timeoutMs === undefined ? [] : [laterCheck(slow.timeoutMs)]),
  ];

  function laterCheck(timeoutMs: number): Trial {
    return {
      title:
        'a server that answers later than the writer waits: the write fails by itself; given again, all is stored',
      run: async (bench) =>
        await throughProxy(async (proxy, options) => {
          const writer = await bench.open(options);
          const [late, next] = [bench.records.make(50), bench.records.make(50)];
          proxy.hold();
          const limitMs = timeoutMs + 2 * LATE_MS + bench.soonMs;
          await failsByItself(writer, late, limitMs);
          // The server has the first of them, and its answer comes when nobody waits for it any more.
          const again = [late, next].map((batch) => deliverAll(writer, batch, bench.patience()));
          proxy.release();
          await Promise.all(again);
          await bench.expectStored([...late, ...next], most);
        }),
    };
  }
}

async function failsByItself(
  writer: LogWriter,
  records: readonly LogRecord[],
  limitMs: number,
): Promise<void> {
  const over = new AbortController();
  try {
    const ended = await endsWithin(writer.writeBatch(records, over.signal), limitMs);
    if (ended === 'resolved') throw new Error('a write is settled, and no answer has come');
  } finally {
    over.abort(new Error('the test is over'));
  }
}

/** Begins a write and stops it when the server has it and the answer is on its way, which does not come. */
async function isStopped(writer: LogWriter, records: readonly LogRecord[], soonMs: number): Promise<void> {
  const stop = new AbortController();
  const ended = endsWithin(writer.writeBatch(records, stop.signal), 2 * LATE_MS + soonMs);
  const timer = setTimeout(() => stop.abort(new Error('the test stops it')), 2 * LATE_MS);
  try {
    if ((await ended) === 'resolved') throw new Error('a write is settled, and no answer has come');
  } finally {
    clearTimeout(timer);
  }
}
