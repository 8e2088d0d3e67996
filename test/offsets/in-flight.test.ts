import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Claim, InFlight } from '../../src/offsets/in-flight.ts';

const window = (committed = 0): InFlight => new InFlight('file', committed, () => undefined);

describe('InFlight', () => {
  it('commits only behind what is settled, in whatever order it settles', () => {
    const file = window();
    const [a, b, c] = [file.claim(0, 10), file.claim(10, 20), file.claim(20, 30)];
    file.settle(b, 'delivered');
    file.settle(c, 'dead_lettered');
    expect(file.committed).toBe(0);
    file.settle(a, 'delivered');
    expect(file.committed).toBe(30);
    expect(file.settled).toBe(true);
  });

  it('commits what was skipped together with what is before it', () => {
    const file = window();
    file.skip(0, 5, 'not_json');
    expect(file.committed).toBe(5);
    const claim = file.claim(5, 10);
    file.skip(10, 15, 'too_long');
    expect(file.committed).toBe(5);
    file.settle(claim, 'delivered');
    expect(file.committed).toBe(15);
  });

  it('refuses to settle a line twice, whatever was merged meanwhile', () => {
    const file = window();
    const [a, b] = [file.claim(0, 10), file.claim(10, 20)];
    file.settle(b, 'delivered');
    expect(() => file.settle(b, 'delivered')).toThrow('Cannot settle a line of file');
    file.settle(a, 'delivered');
    expect(() => file.settle(a, 'delivered')).toThrow('Cannot settle');
    expect(file.ledger).toMatchObject({ lines: 2, delivered: 2, inFlight: 0, imbalance: 0 });
  });

  it('never commits between the lines of one record', () => {
    const file = window();
    const [p, other, f] = [file.claim(0, 10), file.claim(10, 20), file.claim(20, 30)];
    file.tie([p, f]);
    file.settle(p, 'delivered');
    file.settle(f, 'delivered');
    expect(file.committed).toBe(0);
    file.settle(other, 'delivered');
    expect(file.committed).toBe(30);
    expect(file.settled).toBe(true);
  });

  it('keeps flat memory behind a line that is never settled', () => {
    const file = window();
    file.claim(0, 1);
    for (let i = 1; i <= 10_000; i++) file.settle(file.claim(i, i + 1), 'delivered');
    expect(file.links).toBe(2);
    expect(file.committed).toBe(0);
  });

  it('rewinds only when everything is settled', () => {
    const file = window(50);
    const claim = file.claim(50, 60);
    expect(() => file.rewind(10)).toThrow('in flight');
    file.settle(claim, 'delivered');
    file.rewind(10);
    expect([file.committed, file.readTo]).toEqual([10, 10]);
  });

  it('never passes an unsettled line, loses no settled prefix, and balances its account at every step', () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('claim' as const), length: fc.nat(20) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('skip' as const), length: fc.nat(20) }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('settle' as const), which: fc.nat() }) },
    );
    fc.assert(
      fc.property(fc.nat(1000), fc.array(step, { maxLength: 200 }), (begin, steps) => {
        let touched = 0;
        const file = new InFlight('file', begin, () => touched++);
        const lines: { end: number; claim: Claim | undefined }[] = [];
        let position = begin;
        for (const next of steps) {
          const before = file.committed;
          const touchedBefore = touched;
          if (next.kind === 'settle') {
            const open = lines.filter(({ claim }) => claim !== undefined);
            const line = open[next.which % Math.max(open.length, 1)];
            if (line?.claim === undefined) continue;
            file.settle(line.claim, 'delivered');
            line.claim = undefined;
          } else {
            const end = position + next.length + 1;
            if (next.kind === 'claim') lines.push({ end, claim: file.claim(position, end) });
            else {
              file.skip(position, end, 'not_json');
              lines.push({ end, claim: undefined });
            }
            position = end;
          }
          const firstOpen = lines.findIndex(({ claim }) => claim !== undefined);
          const prefix = firstOpen < 0 ? position : firstOpen === 0 ? begin : lines[firstOpen - 1]!.end;
          expect(file.committed).toBe(prefix);
          expect(file.readTo).toBe(position);
          expect(file.ledger.imbalance).toBe(0);
          const unsettled = lines.filter(({ claim }) => claim !== undefined).length;
          expect(file.ledger.inFlight).toBe(unsettled);
          expect(file.links).toBeLessThanOrEqual(unsettled * 2);
          expect(touched > touchedBefore).toBe(file.committed !== before);
        }
      }),
    );
  });
});
