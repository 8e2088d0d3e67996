import type { Gap } from '../../src/offsets/offsets-file.ts';
import type { OwedGap } from './fairness.ts';
import type { TortureOptions } from './options.ts';
import type { Differences, RecordBook } from './record-book.ts';

export interface Results {
  readonly store: string;
  readonly options: TortureOptions;
  readonly lines: number;
  readonly containers: number;
  readonly book: RecordBook;
  readonly differences: Differences;
  /** What the judge of the store counted besides. */
  readonly judged: ReadonlyMap<string, number>;
  readonly events: ReadonlyMap<string, number>;
  readonly faults: ReadonlyMap<string, number>;
  readonly complaints: readonly string[];
  readonly owed: readonly OwedGap[];
  /** Records that need not be stored, by why. */
  readonly excused: ReadonlyMap<string, number>;
  /** The agent's log. */
  readonly said: readonly Record<string, unknown>[];
  readonly peakBytes: number;
}

/** Most memory that the agent may ever take, in bytes, whatever its store does: more than was ever seen, by half. */
const MOST_MEMORY = 512 * 2 ** 20;

/** The table that a run ends with, and its verdict. */
export function report(results: Results): { text: string; passed: boolean } {
  const { options, book, differences, complaints, owed, said } = results;
  const gaps = said.flatMap(({ gap }) => (gap === undefined ? [] : [gap as Gap]));
  const missing = new Set(differences.missing);
  const told = new Set(gaps.map(({ container }) => container));
  const silent = owed.filter(
    ({ container, seqs }) => !told.has(container) && seqs.some((seq) => missing.has(seq)),
  );
  const problems = [...complaints, ...exits(said), ...crashes(said), ...differences.examples];
  for (const { container, seqs } of silent) {
    problems.push(
      `no gap for ${container}: ${seqs.filter((seq) => missing.has(seq)).length} records missing`,
    );
  }
  if (results.peakBytes > MOST_MEMORY)
    problems.push(`The agent took ${Math.round(results.peakBytes / 2 ** 20)} MiB of memory.`);
  const { lost, twice, altered, outOfPlace, unexpected } = differences;
  const passed =
    lost + twice + altered + outOfPlace + unexpected + silent.length + problems.length === 0 &&
    differences.stored > 0;
  const rows: [string, string | number][] = [
    ['store', results.store],
    ['seed', options.seed],
    ['minutes', options.minutes],
    ['lines written', results.lines],
    ['records written', book.size],
    ['records that must be stored', book.expected],
    ...[...results.excused].map(([why, count]): [string, number] => [`need not be stored: ${why}`, count]),
    ['records stored', differences.stored],
    ['lost', lost],
    ['twice', twice],
    ['altered', altered],
    ['out of place', outOfPlace],
    ['unexpected', unexpected],
    ['missing, of what need not be stored', missing.size],
    ...results.judged,
    ['gaps told', gaps.length],
    ['gaps that were owed and not told', silent.length],
    ['peak memory of the agent', `${Math.round(results.peakBytes / 2 ** 20)} MiB`],
    ...results.events,
    ['faults', [...results.faults.values()].reduce((sum, count) => sum + count, 0)],
    ...[...results.faults].toSorted(([a], [b]) => (a < b ? -1 : 1)),
  ];
  const table = rows.map(([name, value]) => `| ${name} | ${value} |`).join('\n');
  const wrong = problems.slice(0, 60).map((problem) => `- ${problem}`);
  const again = `again: npm run torture -- --store ${results.store} --minutes ${options.minutes} --seed ${options.seed} --kill-every ${options.killEvery} --pods ${options.pods} --lines-per-second ${options.linesPerSecond} --rotate-every ${options.rotateEvery} --kept-files ${options.keptFiles} --befall-every ${options.befallEvery}`;
  const verdict = passed ? 'PASSED' : 'FAILED';
  return { text: ['', '| | |', '|---|---|', table, '', ...wrong, `${verdict}; ${again}`].join('\n'), passed };
}

/** The account at each clean end: `read = delivered + skipped + dead-lettered + in flight`. */
function exits(said: Results['said']): string[] {
  return said
    .filter(({ msg }) => msg === 'Stopped.')
    .flatMap((line) => {
      const { lines, delivered, deadLettered, inFlight, skipped } = line as unknown as Record<
        string,
        number
      > & {
        skipped: Record<string, number>;
      };
      const known = Object.values(skipped).reduce((sum, count) => sum + count, 0);
      const off = lines! - delivered! - deadLettered! - inFlight! - known;
      return off === 0 ? [] : [`At an exit the account was out of balance by ${off} lines.`];
    });
}

/** What only a fault of the agent says. */
function crashes(said: Results['said']): string[] {
  return said
    .filter(({ level }) => Number(level) >= 60)
    .map(({ msg }) => `The agent said: ${String(msg).slice(0, 300)}`);
}
