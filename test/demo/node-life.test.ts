import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { conmonFormat } from '../support/sim/conmon-format.ts';
import { containerdFormat } from '../../src/demo/containerd-format.ts';
import { Random } from '../../src/demo/random.ts';
import { ExpectedRecords, type StoredRecord } from '../support/sim/expected-records.ts';
import { NodeLife } from '../support/sim/node-life.ts';
import { TestRecords } from '../support/sim/test-records.ts';

let now = 1_795_388_899_000_000_000n;
const clock = () => (now += 1_003n);

describe('the life of a simulated node', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'frostbeat-life-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it.each([
    ['containerd', () => containerdFormat({ clock })],
    ['conmon', () => conmonFormat({ clock })],
  ])('leaves in its files every record that it expects, and none besides: %s', async (_name, makeFormat) => {
    const random = new Random(7);
    const options = { namespace: 'demo-system', podLogDir: directory, random, clock, makeFormat };
    const life = new NodeLife({ ...options, rotateBytes: 20_000, maxFiles: 1_000, unterminated: 0.5 });
    life.startPod('one', ['app', 'side']);
    life.startPod('two');
    for (let i = 0; i < 40; i++) {
      life.print(50);
      await life.rotate({ reopenFails: 0.2 });
      const pod = random.pick(life.pods);
      if (random.chance(0.2)) life.restart(random.pick(pod.containers), 1_000);
    }
    life.end();
    expect(life.counts).toMatchObject({ lines: expect.toSatisfy((lines: number) => lines >= 2_000) });
    for (const kind of ['rotations', 'renamedBack', 'restarts', 'torn'] as const) {
      expect(life.counts[kind], kind).toBeGreaterThan(0);
    }
    expect(life.expected.size).toBeGreaterThan(1_800);
    expect(life.expected.judge(recordsUnder(directory))).toEqual(nothingWrong);
  });
});

const nothingWrong = { lost: [], twice: [], misplaced: [], foreign: [] };

const stored = ({ traceId, unixNano, json }: ReturnType<TestRecords['next']>, tail = ''): StoredRecord => ({
  traceId,
  unixNano,
  value: Buffer.concat([json.subarray(0, -1), Buffer.from(`${tail}}`)]),
});
const added = (pod: string) => `,"kubernetes":{"namespace":"ns","pod":"${pod}","container":"c","node":""}`;

describe('the judge of stored records', () => {
  const random = new Random(1);
  const records = new TestRecords({ random, clock });
  const place = { namespace: 'ns', pod: 'p', container: 'c' };
  it('sees what is lost, twice, altered, under another time, or said to come from elsewhere', () => {
    const expected = new ExpectedRecords();
    const all = Array.from({ length: 6 }, () => records.next());
    for (const record of all) expected.add(record, place);
    const [right, other, twice, altered, moved] = all.map((record) => stored(record)) as [
      StoredRecord,
      StoredRecord,
      StoredRecord,
      StoredRecord,
      StoredRecord,
    ];
    altered.value[altered.value.length - 2] = 0x7e;
    const elsewhere = stored(all[1] as (typeof all)[0], added('q'));
    const verdict = expected.judge([right, elsewhere, twice, twice, altered, { ...moved, unixNano: '1' }]);
    expect(verdict).toMatchObject({
      lost: [expect.any(String), expect.any(String), expect.any(String)],
      twice: [expect.stringContaining(twice.traceId)],
      misplaced: [expect.stringContaining(other.traceId)],
      foreign: [expect.any(String), expect.stringContaining(`${moved.traceId}/1 `)],
    });
  });

  it('takes a record with or without the member that the agent adds', () => {
    const expected = new ExpectedRecords();
    const [one, two] = [records.next(), records.next()];
    expected.add(one, place);
    expected.add(two, place);
    expect(expected.judge([stored(one, added('p')), stored(two)])).toEqual(nothingWrong);
  });
});

/** Reads the files as plainly as can be: joins the fragments of a stream through the runs of a container apart. */
function* recordsUnder(podLogDir: string): Generator<StoredRecord> {
  for (const pod of readdirSync(podLogDir)) {
    for (const container of readdirSync(join(podLogDir, pod))) {
      const directory = join(podLogDir, pod, container);
      const runs = new Set(readdirSync(directory).map((name) => name.split('.')[0] ?? ''));
      for (const run of runs) yield* recordsOfRun(directory, run);
    }
  }
}

function* recordsOfRun(directory: string, run: string): Generator<StoredRecord> {
  const names = readdirSync(directory)
    .filter((name) => name.startsWith(`${run}.log`))
    .toSorted();
  const bytes = [...names.slice(1), ...names.slice(0, 1)].map((name) => {
    const content = readFileSync(join(directory, name));
    return name.endsWith('.gz') ? gunzipSync(content) : content;
  });
  const output: Record<string, string> = { stdout: '', stderr: '' };
  for (const line of Buffer.concat(bytes).toString('latin1').split('\n').slice(0, -1)) {
    const [, stream = '', tag, content] = /^\S+ (stdout|stderr) ([PF]) (.*)$/s.exec(line) ?? [];
    output[stream] += `${content}${tag === 'F' ? '\n' : ''}`;
  }
  for (const line of Object.values(output).join('\n').split('\n')) {
    const parsed = parse(line);
    if (parsed !== undefined) yield { ...parsed, value: Buffer.from(line, 'latin1') };
  }
}

function parse(line: string): { traceId: string; unixNano: string } | undefined {
  const traceId = /"traceId":"([0-9a-f]{32})"/.exec(line)?.[1];
  const time = /"time":"([^"]+)"/.exec(line)?.[1];
  if (traceId === undefined || time === undefined) return undefined;
  const fraction = (/\.(\d+)/.exec(time)?.[1] ?? '').padEnd(9, '0');
  return { traceId, unixNano: `${Math.floor(Date.parse(time) / 1000)}${fraction}` };
}
