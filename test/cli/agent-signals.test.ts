import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { frostbeat } from '../support/frostbeat.ts';
import { until } from '../support/until.ts';

it('the agent tells more at a SIGUSR1, says so, and opens no port for a debugger', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'frostbeat-signals-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const env = {
    POD_SOURCE: 'directory',
    POD_LOG_DIR: directory,
    STATE_DIR: directory,
    WRITERS: 'file',
    HTTP_PORT: '0',
  };
  const run = frostbeat(['agent'], { env });
  onTestFinished(() => void run.child.kill('SIGKILL'));
  const says = async (text: string) =>
    await until(() => run.output.stderr.includes(text), { what: text, timeoutMs: 20_000 });
  await says('Frostbeat follows');
  run.child.kill('SIGUSR1');
  await says('SIGUSR1: for ten minutes the log tells all from the level debug on.');
  mkdirSync(join(directory, 'demo-system_pod_uid', 'app'), { recursive: true });
  await says('A container is followed.');
  run.child.kill('SIGTERM');
  const { code, stderr } = await run.ended();
  expect(code).toBe(0);
  expect(stderr).not.toContain('Debugger');
});
