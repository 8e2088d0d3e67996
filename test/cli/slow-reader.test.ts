import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { frostbeat } from '../support/frostbeat.ts';

it('a trace is whole where a program that is slower reads it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'frostbeat-slow-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'records.ndjson');
  const lines = Array.from({ length: 20_000 }, (_, n) => `{"traceId":"t","n":${n},"x":"${'x'.repeat(100)}"}`);
  const stored = lines.map(
    (line, n) => `{"timestamp":${1_700_000_000_000 + n}000000,"traceId":"t","log":${line}}\n`,
  );
  writeFileSync(path, stored.join(''));
  const run = frostbeat(['trace', 't'], { env: { WRITERS: 'file', FILE_PATH: path } });
  run.child.stdout.on('data', () => {
    run.child.stdout.pause();
    void sleep(10).then(() => run.child.stdout.resume());
  });
  const { code, stdout } = await run.ended();
  expect(code).toBe(0);
  expect(stdout.split('\n').slice(0, -1)).toEqual(lines);
});
