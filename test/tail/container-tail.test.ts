import { appendFileSync, mkdirSync, mkdtempSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { Pipeline } from '../support/pipeline.ts';
import { until } from '../support/until.ts';

let dir: string;
let n = 0;
beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), 'frostbeat-tail-')), 'ns_pod_uid', 'app');
  mkdirSync(dir, { recursive: true });
  n = 0;
});
const line = (id = `t${n++}`, tag = 'F', content?: string) =>
  `2026-11-23T05:30:57.${String(n).padStart(9, '0')}Z stdout ${tag} ${content ?? JSON.stringify({ traceId: id, time: '2026-11-23T05:30:57Z', msg: 'x' })}\n`;
const put = (name: string, text: string) => appendFileSync(join(dir, name), text, 'latin1');

it('reads what is there and what is appended', async () => {
  put('0.log', line() + line());
  const p = new Pipeline(dir);
  await until(() => p.stored.size === 2, { timeoutMs: 3000, what: 'two records' });
  put('0.log', line());
  await until(() => p.stored.size === 3, { timeoutMs: 3000, what: 'three' });
  renameSync(join(dir, '0.log'), join(dir, '0.log.20261123-053057'));
  put('0.log.20261123-053057', line());
  put('0.log', line());
  await until(() => p.stored.size === 5, { timeoutMs: 3000, what: 'five' });
  const saved = await p.stop();
  expect(p.traceIds).toEqual(['t0', 't1', 't2', 't3', 't4']);
  put('0.log', line());
  const q = new Pipeline(dir, { saved });
  await until(() => q.stored.size === 1, { timeoutMs: 3000, what: 'one more' });
  q.tail.drain();
  await until(() => q.ended, { timeoutMs: 5000, what: 'end' });
  expect(q.traceIds).toEqual(['t5']);
  await q.stop();
});
