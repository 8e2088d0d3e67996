import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('an older Node is told what to do', () => {
  const pretend =
    "Object.defineProperty(process.versions, 'node', { value: '20.19.0' }); await import('./src/main.ts')";
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', pretend]);
  expect(String(stderr)).toMatch(/^frostbeat: Node 20\.19\.0 is too old: .*npx frostbeat.*\n$/);
  expect(status).toBe(2);
});
