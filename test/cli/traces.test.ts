import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { frostbeat } from '../support/frostbeat.ts';

const directory = mkdtempSync(join(tmpdir(), 'frostbeat-traces-'));
const path = join(directory, 'records.ndjson');
writeFileSync(
  path,
  [
    line(1, 'good', { level: 'info', msg: 'hello' }),
    line(2, 'bad\u001b[2J', {
      level: 'error',
      msg: 'no \u001b]0;stock',
      kubernetes: { pod: 'stock-1', container: 'c' },
    }),
    line(5, 'bad\u001b[2J', { level: 'info', msg: 'bye' }),
  ].join(''),
);
const env = { WRITERS: 'file', FILE_PATH: path };

describe('frostbeat traces', () => {
  afterAll(() => rmSync(directory, { recursive: true }));

  it('lists the newest traces first, as JSON in a pipe', async () => {
    const { code, stdout } = await frostbeat(['traces'], { env }).ended();
    expect(code).toBe(0);
    const traces = stdout
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as { traceId: string; lines: number });
    expect(traces.map(({ traceId, lines }) => [traceId, lines])).toEqual([
      ['bad\u001b[2J', 2],
      ['good', 1],
    ]);
  });

  it('prints a table in which no escape sequence is left, only of the bad ones where asked', async () => {
    const { stdout } = await frostbeat(['traces', '-o', 'pretty', '--level', 'error'], { env }).ended();
    expect(stdout).toBe(
      [
        'TIME (UTC)           SPAN  LINES  PODS  WORST  STATE  TRACE         SAYS',
        '2023-11-14 22:13:22   3 s      2     1  ERROR  –      bad\\u001b[2J  no \\u001b]0;stock',
        '',
      ].join('\n'),
    );
  });

  it('marks what it counts where a compressed file may hold more, and tells no state', async () => {
    const FILE_PATH = join(directory, 'rotated.ndjson');
    writeFileSync(FILE_PATH, line(1, 'good', { level: 'info', msg: 'hello' }));
    writeFileSync(`${FILE_PATH}.20231114-221320.000.gz`, gzipSync(line(0, 'good', { msg: 'before' })));
    const asked = frostbeat(['traces', '-o', 'pretty'], { env: { ...env, FILE_PATH } });
    const { stdout, stderr } = await asked.ended();
    expect(stdout).toMatch(/ 0 ms\+ +1\+ +0\+ +INFO +– +good/);
    expect(stderr).toMatch(/none that is compressed/);
  });

  it('says that there is none, with exit code 1', async () => {
    const { code, stderr } = await frostbeat(['traces', '--level', 'fatal'], { env }).ended();
    expect(code).toBe(1);
    expect(stderr).toMatch(/no trace with a line of fatal among the newest 2/);
  });

  it('tells of a wrong limit and level at once, with exit code 2', async () => {
    const { code, stderr } = await frostbeat(['traces', '-n', '0', '--level', 'x'], { env }).ended();
    expect(code).toBe(2);
    expect(stderr).toMatch(/--limit is "0"[\s\S]*--level is "x"/);
  });
});

function line(second: number, traceId: string, log: object): string {
  return `{"timestamp":170000000${second}000000000,"traceId":${JSON.stringify(traceId)},"log":${JSON.stringify(log)}}\n`;
}
