import { deliverAll } from './deliver-all.ts';
import { endsWithin } from './ends-within.ts';
import type { Subject } from './subject.ts';
import type { TestRecord } from './test-records.ts';
import type { Trial } from './trial.ts';

const MIB = 2 ** 20;

/** Trace IDs that have gone wrong somewhere before. */
const traceIds = [
  'a',
  '4bf92f3577b34da6a3ce929d0e0e4736',
  '../../etc/passwd',
  'with space/slash\\backslash%2Fper%cent',
  'quote"brace{}[]\'`$(id)',
  'line\nfeed\r\ttab\u0000nul\u001b[31m',
  'ünïcödé 日本語 \u{1f600}\u2028\u202e',
  'x'.repeat(2_000),
];

/** What holds of every writer, with a destination that works. */
export function contractChecks(subject: Subject): Trial[] {
  return [
    {
      title: 'what is settled is stored, each record once and as it was given',
      run: async (bench) => {
        const writer = await bench.open();
        await writer.check?.(bench.patience());
        const records = bench.records.make(500);
        await writer.writeBatch(records, bench.patience());
        await bench.expectStored(records);
        const [another] = bench.records.make(1) as [TestRecord];
        await writer.writeBatch([another], bench.patience());
        await bench.expectStored([...records, another]);
      },
    },
    {
      title: 'several batches may be under way at once',
      run: async (bench) => {
        const writer = await bench.open();
        const batches = Array.from({ length: 8 }, () => bench.records.make(50));
        await Promise.all(batches.map(async (batch) => await writer.writeBatch(batch, bench.patience())));
        await bench.expectStored(batches.flat());
      },
    },
    {
      title: 'any Unicode, bytes that are no UTF-8, and hostile trace IDs are kept',
      run: async (bench) => {
        const records = [
          ...traceIds.flatMap((traceId) => bench.records.make(1, { traceId })),
          ...bench.records.make(1, { members: String.raw`"text":"\u0000\ud800 \"\\/ \u2028"` }),
          ...bench.records.make(1, { members: '"text":"ünï 日本語 \u{1f600}\u2028\u2029\u202e\ufeff"' }),
          ...bench.records.make(1, { members: '"nested":{"a":[1,{"b":null},1.5e300,-0]},"ü":""' }),
          bench.records.ofBytes(
            Buffer.from([...Buffer.from('"text":"'), 0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0x22]),
          ),
        ];
        bench.expectNoRefusal(await deliverAll(await bench.open(), records, bench.patience()));
        await bench.expectStored(records, subject.repeats === 'once' ? 1 : Infinity);
      },
    },
    {
      title: 'a record of 1 MiB is stored or refused for good, and holds up no other',
      run: async (bench) => {
        const members = `"text":"${'0123456789abcdef'.repeat(MIB / 16 - 10)}"`;
        const [before, large, behind] = [
          ...bench.records.make(1),
          ...bench.records.make(1, { members }),
          ...bench.records.make(1),
        ] as [TestRecord, TestRecord, TestRecord];
        const records = [before, large, behind];
        const refused = await deliverAll(await bench.open(), records, bench.patience());
        const kept = records.filter((record) => !refused.some((one) => one.record === record));
        if (!kept.includes(before) || !kept.includes(behind)) {
          throw new Error(`a small record beside one of 1 MiB is refused: ${refused[0]?.reason}`);
        }
        await bench.expectStored(kept, subject.repeats === 'once' ? 1 : Infinity);
      },
    },
    ...repeatChecks(subject),
    ...refusalChecks(subject),
    {
      title: 'a write that is told to stop ends, and can be made again by another writer',
      run: async (bench) => {
        const writer = await bench.open();
        const records = bench.records.make(2_000);
        const stop = new AbortController();
        const written = writer.writeBatch(records, stop.signal);
        stop.abort(new Error('the test stops it'));
        await endsWithin(written, bench.soonMs);
        const never = bench.records.make(1);
        const stopped = AbortSignal.abort(new Error('stopped before'));
        // It need not reject; but what resolves must be stored.
        const how = await endsWithin(writer.writeBatch(never, stopped), bench.soonMs);
        if (how === 'resolved') await bench.expectStored(never);
        await endsWithin(writer.close?.(), bench.soonMs);
        await (await bench.open()).writeBatch(records, bench.patience());
        await bench.expectStored(records, subject.repeats === 'again' ? Infinity : 1);
      },
    },
    {
      title: 'closing it ends it, with or without a write before',
      run: async (bench) => {
        const unused = await bench.make();
        await endsWithin(unused.close?.(), bench.soonMs);
        const writer = await bench.open();
        const records = bench.records.make(10);
        await writer.writeBatch(records, bench.patience());
        await endsWithin(writer.close?.(), bench.soonMs);
        await bench.expectStored(records);
      },
    },
  ];
}

function repeatChecks({ repeats }: Subject): Trial[] {
  const isOnce = repeats === 'once' || repeats === 'restart';
  const inOtherBatches: Trial = {
    title: isOnce
      ? 'records that are written again in other batches, by another writer, are there once'
      : 'records that are written again in other batches, by another writer, are there',
    run: async (bench) => {
      const records = bench.records.make(100);
      const first = await bench.open();
      await first.writeBatch(records.slice(0, 60), bench.patience());
      await first.close?.();
      const second = await bench.open();
      await second.writeBatch(records.slice(0, 30), bench.patience());
      await second.writeBatch(records.slice(30), bench.patience());
      await bench.expectStored(records, isOnce ? 1 : Infinity);
    },
  };
  if (repeats === 'again' || repeats === 'restart') return [inOtherBatches];
  return [
    {
      title: 'a batch that is written again, by the same writer and by another, is there once',
      run: async (bench) => {
        const batch = bench.records.make(40);
        const writer = await bench.open();
        await writer.writeBatch(batch, bench.patience());
        await writer.writeBatch(batch, bench.patience());
        const another = await bench.open();
        await another.writeBatch(batch, bench.patience());
        await bench.expectStored(batch);
      },
    },
    inOtherBatches,
  ];
}

function refusalChecks({ refused, repeats }: Subject): Trial[] {
  if (refused === undefined) return [];
  return [
    {
      title: 'records that are refused for good are named with a reason, and only they',
      run: async (bench) => {
        const bad = refused.flatMap((members) => bench.records.make(1, { members }));
        const good = bench.records.make(30);
        const mixed = [...good.slice(0, 10), ...bad, ...good.slice(10)];
        const refusals = await deliverAll(await bench.open(), mixed, bench.patience());
        const named = new Set(refusals.map(({ record }) => record));
        const wrong = good.filter((record) => named.has(record));
        if (wrong.length > 0) throw new Error(`${wrong.length} good records are refused`);
        if (named.size < bad.length)
          throw new Error(`of ${bad.length} bad records ${named.size} are refused`);
        if (refusals.some(({ reason }) => reason === '')) throw new Error('a refusal has no reason');
        await bench.expectStored(good, repeats === 'once' ? 1 : Infinity);
        await bench.expectAbsent(bad);
      },
    },
  ];
}
