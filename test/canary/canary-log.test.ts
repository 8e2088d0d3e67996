import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { CanaryLog } from '../../src/canary/canary-log.ts';
import { decodeCriLine } from '../../src/record/cri-line.ts';

const start = Date.parse('2026-11-24T03:00:00.000Z');

it('writes lines as containerd does', async () => {
  const { log, directory } = makeLog();
  await log.append('{"a":1}', new Date(start));
  const line = readFileSync(join(directory, '0.log'), 'utf8');
  expect(line).toBe('2026-11-24T03:00:00.000Z stdout F {"a":1}\n');
  const bytes = Buffer.from(line.trimEnd());
  expect(decodeCriLine({ bytes, from: 0, to: bytes.length })).toBeDefined();
});

it('rotates as the kubelet does, and never takes more than two files', async () => {
  const { log, directory } = makeLog(1_000);
  for (let n = 0; n < 200; n++) await log.append('x'.repeat(100), new Date(start + n * 1_000));
  const names = readdirSync(directory).toSorted();
  expect(names).toHaveLength(2);
  expect(names[0]).toBe('0.log');
  expect(names[1]).toMatch(/^0\.log\.20261124-03\d{4}$/);
  for (const name of names) expect(statSync(join(directory, name)).size).toBeLessThan(1_200);
});

it('goes on behind a line that a crash tore, and where somebody has deleted the directory', async () => {
  const { log, directory } = makeLog();
  await log.append('one', new Date(start));
  await log.close();
  appendFileSync(join(directory, '0.log'), 'torn');
  await log.append('two', new Date(start));
  const read = () => readFileSync(join(directory, '0.log'), 'utf8').replaceAll(/^\S+ stdout F /gm, '');
  expect(read()).toBe('one\ntwo\n');
  rmSync(directory, { recursive: true });
  await log.append('three', new Date(start));
  expect(read()).toBe('three\n');
});

function makeLog(mostBytes?: number) {
  const root = mkdtempSync(join(tmpdir(), 'frostbeat-canary-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const directory = join(root, 'canary');
  const log = new CanaryLog(directory, mostBytes);
  onTestFinished(async () => await log.close());
  return { log, directory };
}
