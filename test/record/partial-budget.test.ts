import { expect, it } from 'vitest';
import { InFlight } from '../../src/offsets/in-flight.ts';
import { withText } from '../../src/record/agent-record.ts';
import { ContainerRecords } from '../../src/record/container-records.ts';
import { PartialBudget } from '../../src/record/partial-budget.ts';
import { sliceOf } from '../../src/util/byte-slice.ts';

const KIB = 1024;
const T = '2026-11-23T05:30:57.000000001Z';

/** Containers that print long records in fragments of 16 KiB, read in turn, a fragment each. */
class Node {
  readonly records: string[] = [];
  givenUp = 0;
  peak = 0;
  readonly budget: PartialBudget;
  readonly #containers: { sink: ContainerRecords; file: InFlight; lines: string[] }[] = [];

  constructor(budgetBytes: number) {
    this.budget = new PartialBudget(budgetBytes, () => this.givenUp++);
  }

  get files(): InFlight[] {
    return this.#containers.map(({ file }) => file);
  }

  /** @param ended false for a container that never writes the end of its last record. */
  add(records: number, bytes: number, ended = true): void {
    const name = String(this.#containers.length);
    const sink = new ContainerRecords({
      source: withText({ namespace: 'ns', pod: 'pod', container: name, node: 'n1' }, false),
      maxRecordBytes: KIB * KIB,
      partials: this.budget,
      onRecord: (record) => {
        this.records.push(record.traceId);
        record.addDestination();
        record.settle('delivered');
      },
    });
    const lines: string[] = [];
    for (let n = 0; n < records; n++) {
      const json = JSON.stringify({ traceId: name, time: '2026-11-23T05:30:57Z', msg: 'x'.repeat(bytes) });
      for (let at = 0; at < json.length; at += 16 * KIB) {
        const tag = at + 16 * KIB < json.length ? 'P' : 'F';
        lines.push(`${T} stdout ${tag} ${json.slice(at, at + 16 * KIB)}`);
      }
    }
    if (!ended) lines.pop();
    this.#containers.push({ sink, file: new InFlight(name, 0, () => undefined), lines });
  }

  /** Until nobody has anything to read; returns in how many rounds nobody read though somebody had. */
  read(): number {
    let stuck = 0;
    while (this.#containers.some(({ lines }) => lines.length > 0)) {
      let read = false;
      for (const { sink, file, lines } of this.#containers) {
        if (lines.length === 0 || !sink.mayReadOn()) continue;
        const line = lines.shift()!;
        sink.line(sliceOf(line), file, file.readTo, file.readTo + line.length + 1);
        this.peak = Math.max(this.peak, this.budget.used);
        read = true;
      }
      if (!read && ++stuck > 100) throw new Error('Nobody reads any more');
    }
    return stuck;
  }
}

it('lets containers wait for one another, and loses none of their records', () => {
  const node = new Node(2 * KIB * KIB);
  for (let n = 0; n < 50; n++) node.add(3, 900 * KIB);
  expect(node.read()).toBe(0);
  expect(node.records).toHaveLength(150);
  // Each may have begun a line before the budget was used up.
  expect(node.peak).toBeLessThan(2 * KIB * KIB + 50 * 80 * KIB);
  expect([node.givenUp, node.budget.used]).toEqual([0, 0]);
});

it('does not wait for a line whose end nobody writes', () => {
  const node = new Node(2 * KIB * KIB);
  for (let n = 0; n < 3; n++) node.add(1, 900 * KIB, false);
  for (let n = 0; n < 10; n++) node.add(2, 500 * KIB);
  node.read();
  expect(node.records).toHaveLength(20);
  expect(node.givenUp).toBe(0);
});

it('gives up the lines that have grown least lately where twice the budget is not enough', () => {
  const node = new Node(2 * KIB * KIB);
  for (let n = 0; n < 10; n++) node.add(1, 900 * KIB, false);
  node.read();
  for (let n = 0; n < 10; n++) node.add(2, 500 * KIB);
  node.read();
  expect(node.records).toHaveLength(20);
  expect(node.peak).toBeLessThanOrEqual(4 * KIB * KIB + 16 * KIB + 256);
  expect(node.givenUp).toBeGreaterThan(0);
  // What was given up stays accounted for.
  expect(node.files.map(({ ledger }) => ledger.imbalance)).toEqual(node.files.map(() => 0));
  expect(node.files.reduce((sum, { ledger }) => sum + ledger.skipped.too_long, 0)).toBeGreaterThan(0);
});

it('counts what many small fragments cost beside their bytes', () => {
  const budget = new PartialBudget(KIB * KIB, () => undefined);
  const sink = new ContainerRecords({
    source: withText({ namespace: 'ns', pod: 'pod', container: 'dots', node: 'n1' }, false),
    maxRecordBytes: KIB * KIB,
    partials: budget,
    onRecord: () => undefined,
  });
  const file = new InFlight('dots', 0, () => undefined);
  for (let n = 0; n < 20_000; n++) {
    sink.line(sliceOf(`${T} stdout P .`), file, file.readTo, file.readTo + 42);
    expect(budget.used).toBeLessThan(2.1 * KIB * KIB);
  }
  expect(file.ledger.imbalance).toBe(0);
});
