import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InFlight } from '../../src/offsets/in-flight.ts';
import { type AgentRecord, withText } from '../../src/record/agent-record.ts';
import { ContainerRecords } from '../../src/record/container-records.ts';
import { PartialBudget } from '../../src/record/partial-budget.ts';
import { sliceOf } from '../../src/util/byte-slice.ts';

const place = { namespace: 'ns', pod: 'pöd', container: 'app', node: 'n1' };

interface Setup {
  records: AgentRecord[];
  file: InFlight;
  sink: ContainerRecords;
  feed: (line: string) => void;
}

function setUp({ maxRecordBytes = 100_000, kubernetes = false } = {}): Setup {
  const records: AgentRecord[] = [];
  const file = new InFlight('f00', 0, () => undefined);
  const sink = new ContainerRecords({
    source: withText(place, kubernetes),
    maxRecordBytes,
    partials: new PartialBudget(64 * 1024 * 1024, () => undefined),
    onRecord: (record) => {
      record.addDestination();
      records.push(record);
    },
  });
  const feed = (line: string): void =>
    sink.line(sliceOf(line), file, file.readTo, file.readTo + line.length + 1);
  return { records, file, sink, feed };
}

const T = '2026-11-23T05:30:57.000000001Z';
const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
const json = (extra: object = {}): string =>
  JSON.stringify({ traceId: 't', time: '2026-11-23T05:30:57Z', ...extra });

describe('records of lines', () => {
  it.each([
    ['no log line at all', 'not_json'],
    [`${T} stdout F plain text`, 'not_json'],
    [`${T} stdout F `, 'not_json'],
    [`${T} stdout F`, 'not_json'],
    [`${T} stdout F [1]`, 'not_object'],
    [`${T} stdout F null`, 'not_object'],
    [`${T} stdout F 5`, 'not_object'],
    [`${T} stdout F {"time":"2026-11-23T05:30:57Z"}`, 'no_trace_id'],
    [`${T} stdout F {"traceId":"","time":"2026-11-23T05:30:57Z"}`, 'no_trace_id'],
    [`${T} stdout F {"traceId":7,"time":"2026-11-23T05:30:57Z"}`, 'no_trace_id'],
    [`${T} stdout F {"traceId":"a"}`, 'no_time'],
    [`${T} stdout F {"traceId":"a","time":5}`, 'bad_time'],
    [`${T} stdout F {"traceId":"a","time":"yesterday"}`, 'bad_time'],
    [`${T} nowhere F ${json()}`, 'not_json'],
  ] as const)('skips %j as %s', (line, reason) => {
    const { records, file, feed } = setUp();
    feed(line);
    expect(records).toEqual([]);
    expect(file.ledger.skipped[reason]).toBe(1);
    expect(file.settled).toBe(true);
    expect(file.committed).toBe(line.length + 1);
  });

  it.each(['2026-11-23T05:30:57Z', T, '2026-11-23T05:30:57.1+02:00', '2026-11-23T05:30:57.123456789+00:00'])(
    'takes a line with the time %s',
    (time) => {
      const { records, feed } = setUp();
      feed(`${time} stderr F ${json()}`);
      expect(records).toHaveLength(1);
    },
  );

  it('reads trace IDs of any text, escaped or not, as the same', () => {
    const { records, feed } = setUp();
    feed(`${T} stdout F ${latin1('{"traceId":"grün😀/%","time":"2026-11-23T05:30:57Z"}')}`);
    feed(`${T} stdout F {"traceId":"gr\\u00fcn\\ud83d\\ude00\\/%","time":"2026-11-23T05:30:57Z"}`);
    expect(records.map(({ traceId }) => traceId)).toEqual(['grün😀/%', 'grün😀/%']);
  });

  it('adds the member kubernetes at the end, and not where the record has one', () => {
    const { records, feed } = setUp({ kubernetes: true });
    feed(`${T} stdout F ${json()}`);
    feed(`${T} stdout F ${json({ kubernetes: 1 })}`);
    const [added, own] = records;
    const text = added!.toBytes().toString('utf8');
    expect(text).toBe(`${json().slice(0, -1)},"kubernetes":${JSON.stringify(place)}}`);
    expect(added!.byteLength).toBe(added!.toBytes().length);
    expect(own!.latin1).toBe(json({ kubernetes: 1 }));
    expect(own!.byteLength).toBe(own!.toBytes().length);
  });

  it('settles the lines of a record when the last destination has settled it, as dead if one refused it', () => {
    const { records, file, feed } = setUp();
    feed(`${T} stdout P ${json().slice(0, 9)}`);
    feed(`${T} stdout F ${json().slice(9)}`);
    records[0]!.addDestination();
    records[0]!.settle('dead_lettered');
    expect(file.ledger.inFlight).toBe(2);
    records[0]!.settle('delivered');
    expect(file.ledger).toMatchObject({
      inFlight: 0,
      deadLettered: 2,
      delivered: 0,
      records: 1,
      imbalance: 0,
    });
  });
});

describe('joining', () => {
  /** Lines of two streams, each cut in pieces, interleaved in some order that keeps each stream's. */
  const scripts = fc
    .record({
      stdout: fc.array(
        fc.record({
          text: fc.string({ unit: 'grapheme', maxLength: 30 }),
          cuts: fc.array(fc.nat(60), { maxLength: 4 }),
        }),
        { maxLength: 8 },
      ),
      stderr: fc.array(
        fc.record({ text: fc.string({ maxLength: 30 }), cuts: fc.array(fc.nat(60), { maxLength: 4 }) }),
        { maxLength: 8 },
      ),
      order: fc.infiniteStream(fc.boolean()),
      rotations: fc.infiniteStream(fc.nat(4)),
    })
    .map(({ stdout, stderr, order, rotations }) => {
      const split = (stream: string, lines: typeof stdout): { line: string; content?: string }[] =>
        lines.flatMap(({ text, cuts }, i) => {
          const content = latin1(json({ traceId: `${stream}${i}`, text }));
          const places = [...new Set(cuts.map((at) => at % content.length))].sort((a, b) => a - b);
          const ends = [...places, content.length];
          return ends.map((end, k) => {
            const last = k === ends.length - 1;
            const piece = content.slice(k === 0 ? 0 : ends[k - 1], end);
            return { line: `${T} ${stream} ${last ? 'F' : 'P'} ${piece}`, ...(last ? { content } : {}) };
          });
        });
      const queues = [split('stdout', stdout), split('stderr', stderr)];
      const all: { line: string; content?: string }[] = [];
      while (queues.some((queue) => queue.length > 0)) {
        const queue = queues[order.next().value ? 0 : 1]!;
        all.push(...(queue.length > 0 ? queue : queues.find((other) => other.length > 0)!).splice(0, 1));
      }
      return { all, rotations };
    });

  it('is the inverse of cutting, for two interleaved streams and any rotation between two pieces', () => {
    fc.assert(
      fc.property(scripts, ({ all, rotations }) => {
        const { records, sink } = setUp();
        const files = [new InFlight('file0', 0, () => undefined)];
        for (const { line } of all) {
          if (rotations.next().value === 0)
            files.push(new InFlight(`file${files.length}`, 0, () => undefined));
          const file = files.at(-1)!;
          sink.line(sliceOf(line), file, file.readTo, file.readTo + line.length + 1);
        }
        const contents = all.flatMap(({ content }) => content ?? []);
        expect(records.map((record) => record.latin1)).toEqual(contents);
        expect(new Set(records.map(({ id }) => id)).size).toBe(records.length);
        for (const record of records) record.settle('delivered');
        for (const file of files) {
          expect(file.settled).toBe(true);
          expect(file.committed).toBe(file.readTo);
          expect(file.ledger.imbalance).toBe(0);
        }
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['in one piece', [json({ traceId: 'b' })]],
    [
      'in three pieces',
      [
        json({ traceId: 'b' }).slice(0, 9),
        json({ traceId: 'b' }).slice(9, 20),
        json({ traceId: 'b' }).slice(20),
      ],
    ],
  ])('does not lose a record to the begin of one whose end went with its file: %s', (_, pieces) => {
    const { records, sink } = setUp();
    const older = new InFlight('older', 0, () => undefined);
    const newer = new InFlight('newer', 0, () => undefined);
    const feed = (line: string, file: InFlight) =>
      sink.line(sliceOf(line), file, file.readTo, file.readTo + line.length + 1);
    feed(`${T} stdout P {"traceId":"a","time":`, older);
    feed(`${T} stdout P "2026`, older);
    feed(`${T} stderr F ${json({ traceId: 'c' })}`, newer);
    const start = newer.readTo;
    for (const [i, piece] of pieces.entries()) {
      feed(`${T} stdout ${i === pieces.length - 1 ? 'F' : 'P'} ${piece}`, newer);
    }
    expect(records.map(({ id, latin1: text }) => ({ id, text }))).toEqual([
      { id: 'newer-000000000000', text: json({ traceId: 'c' }) },
      { id: `newer-${start.toString(16).padStart(12, '0')}`, text: json({ traceId: 'b' }) },
    ]);
    for (const record of records) record.settle('delivered');
    expect([older.settled, newer.settled]).toEqual([true, true]);
    expect(older.ledger.skipped.not_json).toBe(2);
    expect([older.ledger.imbalance, newer.ledger.imbalance]).toEqual([0, 0]);
    expect(newer.committed).toBe(newer.readTo);
  });

  it('does not lose a record to the begin of one that is too long and whose end went with its file', () => {
    const { records, sink } = setUp({ maxRecordBytes: 200 });
    const older = new InFlight('older', 0, () => undefined);
    const newer = new InFlight('newer', 0, () => undefined);
    const feed = (line: string, file: InFlight) =>
      sink.line(sliceOf(line), file, file.readTo, file.readTo + line.length + 1);
    for (let i = 0; i < 5; i++) feed(`${T} stdout P ${'x'.repeat(99)}`, older);
    const record = json({ traceId: 'b', msg: 'x'.repeat(130) });
    feed(`${T} stdout P ${record.slice(0, 20)}`, newer);
    feed(`${T} stdout F ${record.slice(20)}`, newer);
    expect(records.map(({ id, latin1: text }) => ({ id, text }))).toEqual([
      { id: 'newer-000000000000', text: record },
    ]);
    for (const each of records) each.settle('delivered');
    expect([older.settled, newer.settled]).toEqual([true, true]);
    expect(older.ledger.skipped.too_long).toBe(5);
    expect([older.ledger.imbalance, newer.ledger.imbalance]).toEqual([0, 0]);
  });

  it('does not lose a record that is too long only together with the begin of another whose end went unseen', () => {
    const { records, sink } = setUp({ maxRecordBytes: 200 });
    const older = new InFlight('older', 0, () => undefined);
    const newer = new InFlight('newer', 0, () => undefined);
    const feed = (line: string, file: InFlight) =>
      sink.line(sliceOf(line), file, file.readTo, file.readTo + line.length + 1);
    for (let i = 0; i < 3; i++) feed(`${T} stdout P ${'x'.repeat(50)}`, older);
    const record = json({ traceId: 'b', msg: 'x'.repeat(100) });
    for (const at of [0, 40, 80]) feed(`${T} stdout P ${record.slice(at, at + 40)}`, newer);
    feed(`${T} stdout F ${record.slice(120)}`, newer);
    expect(records.map(({ id, latin1: text }) => ({ id, text }))).toEqual([
      { id: 'newer-000000000000', text: record },
    ]);
    expect(older.ledger.skipped.too_long).toBe(3);
  });

  it('leaves no hole when it crashes after any line: what is read again from the commits is the rest', () => {
    fc.assert(
      fc.property(
        scripts,
        fc.nat(100),
        fc.array(fc.boolean(), { maxLength: 30 }),
        ({ all }, crash, settled) => {
          const text = all.map(({ line }) => `${line}\n`).join('');
          const contents = all.flatMap(({ content }) => content ?? []);
          const first = setUp();
          const at = crash % (all.length + 1);
          for (const { line } of all.slice(0, at)) first.feed(line);
          const stored = new Map<string, string>();
          first.records.forEach((record, i) => {
            if (settled[i] === false) return;
            record.settle('delivered');
            stored.set(record.id, record.latin1);
          });
          const rest = text.slice(first.file.committed);
          const second = setUp();
          const file = new InFlight('f00', first.file.committed, () => undefined);
          for (const line of rest.split('\n').slice(0, -1)) {
            second.sink.line(sliceOf(line), file, file.readTo, file.readTo + line.length + 1);
          }
          // The same identity, or writing it again would be writing it twice.
          for (const record of second.records) {
            expect(stored.get(record.id) ?? record.latin1).toBe(record.latin1);
            stored.set(record.id, record.latin1);
          }
          expect([...stored.values()].sort()).toEqual([...contents].sort());
        },
      ),
      { numRuns: 300 },
    );
  });

  it('alters nothing when it crashes after any line, with records cut by rotation and some too long', () => {
    const limit = 100;
    fc.assert(
      fc.property(
        scripts,
        fc.nat(100),
        fc.array(fc.boolean(), { maxLength: 30 }),
        (script, crash, settled) => {
          const { all, rotations } = script;
          const files: string[][] = [[]];
          for (const { line } of all) {
            if (rotations.next().value === 0) files.push([]);
            files.at(-1)!.push(line);
          }
          const contents = new Set(all.flatMap(({ content }) => content ?? []));
          /** Reads the files from where the windows are, at most so many lines. */
          const read = (windows: InFlight[], most: number): AgentRecord[] => {
            const { records, sink } = setUp({ maxRecordBytes: limit });
            let left = most;
            for (const [i, lines] of files.entries()) {
              const window = windows[i]!;
              const rest = lines
                .map((line) => `${line}\n`)
                .join('')
                .slice(window.committed);
              for (const line of rest.split('\n').slice(0, -1)) {
                if (left-- <= 0) return records;
                sink.line(sliceOf(line), window, window.readTo, window.readTo + line.length + 1);
              }
            }
            sink.end();
            return records;
          };
          const begin = (offsets: number[]): InFlight[] =>
            files.map((_, i) => new InFlight(`file${i}`, offsets[i] ?? 0, () => undefined));
          const first = begin([]);
          const before = read(first, crash % (all.length + 1));
          const stored = before.filter((_, i) => settled[i] !== false);
          for (const record of stored) record.settle('delivered');
          const second = begin(first.map(({ committed }) => committed));
          const after = read(second, Infinity);
          for (const record of after) record.settle('delivered');
          for (const { latin1: text } of [...stored, ...after]) {
            // A piece that is blank is the only one that can be missed without a trace.
            expect(contents).toContain(text.trim());
            expect(text.length).toBeLessThanOrEqual(limit);
          }
          const found = new Set([...stored, ...after].map(({ latin1: text }) => text));
          for (const content of contents) expect(found.has(content)).toBe(content.length <= limit);
          for (const window of second) {
            expect(window.settled).toBe(true);
            expect(window.ledger.imbalance).toBe(0);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
