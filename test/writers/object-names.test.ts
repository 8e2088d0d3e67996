import { expect, it } from 'vitest';
import { ObjectNames } from '../../src/writers/object-names.ts';
import { agentRecord, inTexts } from '../support/agent-records.ts';
import { record } from '../support/records.ts';

const names = new ObjectNames('logs/');
const at = (time: string, offset: number, nanos = '000000') =>
  record('{}', {
    unixNano: `${Date.parse(time)}${nanos}`,
    id: `00000000000000aa-${offset.toString(16).padStart(12, '0')}`,
    source: { namespace: 'ns', pod: 'p', container: 'c', node: 'node-1' },
  });

it('the same records have the same name, which tells hour, node, times, offsets and a hash', () => {
  const records = [at('2026-11-24T10:59:59.999Z', 16, '999999'), at('2026-11-24T10:00:00Z', 32)];
  const [object, ...others] = names.of(records);
  expect(others).toEqual([]);
  expect(object?.name).toMatch(
    /^logs\/2026-11-24\/10\/node-1\/1795514400000000000-1795517999999999999-00000000000000aa-000000000010-00000000000000aa-000000000020-[0-9a-f]{16}\.ndjson\.gz$/,
  );
  expect(names.of(records.toReversed())[0]?.name).toBe(object?.name);
  const [fewer] = names.of([...records, at('2026-11-24T10:30:00Z', 24)]);
  expect(fewer?.name).not.toBe(object?.name);
});

it('a batch over an hour makes an object for each, which the reader of those hours finds', () => {
  const objects = names.of([
    at('2026-12-31T23:59:59Z', 1),
    at('2027-01-01T00:00:00Z', 2),
    at('2026-12-31T23:00:00Z', 3),
  ]);
  expect(objects.map(({ records }) => records.length)).toEqual([2, 1]);
  const first = BigInt(Date.parse('2026-12-31T23:30:00Z')) * 1_000_000n;
  const hours = [...names.hours({ first, last: first + 3_600_000_000_000n })];
  expect(hours).toEqual(['logs/2026-12-31/23/', 'logs/2027-01-01/00/']);
  for (const [index, { name }] of objects.entries()) expect(name.startsWith(hours[index]!)).toBe(true);
});

it('the times and the node of an object are read back from its name, and from no other', () => {
  const [object] = names.of([at('2026-11-24T10:30:00Z', 1)]);
  const time = BigInt(Date.parse('2026-11-24T10:30:00Z')) * 1_000_000n;
  expect(names.parse(object!.name)).toEqual({
    node: object!.records[0]!.source.node,
    first: time,
    last: time,
  });
  for (const node of ['', 'ö/%', 'a.b'])
    expect(names.parse(nameOf(node)), 'whatever it is called').toMatchObject({ node });
  for (const other of ['logs/readme.txt', 'logs/2026-11-24/10/n/x.ndjson.gz']) {
    expect(names.parse(other)).toBeUndefined();
  }
});

const nameOf = (node: string) =>
  names.of([record('{}', { source: { namespace: '', pod: '', container: '', node } })])[0]!.name;

it('a node whose name is hostile, or that has none, keeps to its place', () => {
  expect(nameOf('../../x')).toMatch(/^logs\/2023-11-14\/22\/..%2F..%2Fx\//);
  expect(nameOf('')).toMatch(/^logs\/2023-11-14\/22\/_\//);
});

it('records of the agent have the name of the same records in texts, also where their times differ in nanoseconds only', () => {
  const records = [5, 1, 9].map((n) => agentRecord('t', n * 100, `2026-11-24T05:30:57.00000000${n}Z`));
  const [object] = names.of(records);
  expect(object?.name).toContain('/1795498257000000001-1795498257000000009-');
  expect(names.of(records.map(inTexts))[0]?.name).toBe(object?.name);
});
