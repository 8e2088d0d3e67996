import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { frostbeat } from '../support/frostbeat.ts';
import { until } from '../support/until.ts';

let directory: string;
let env: Record<string, string>;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'frostbeat-agent-'));
  mkdirSync(join(directory, 'pods'));
  env = {
    POD_SOURCE: 'directory',
    POD_LOG_DIR: join(directory, 'pods'),
    STATE_DIR: join(directory, 'state'),
    WRITERS: 'file',
    HTTP_PORT: '0',
  };
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('frostbeat agent', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('ends with 0 on %s', async (signal) => {
    const run = frostbeat(['agent'], { env });
    await until(() => run.output.stderr.includes('Frostbeat follows'), { what: 'the start' });
    run.child.kill(signal);
    const { code, stderr, stdout } = await run.ended();
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { level: string; msg: string });
    expect(lines.at(-1)).toMatchObject({ level: 'info', msg: 'Stopped.' });
    expect(lines.filter(({ level }) => level !== 'info')).toEqual([]);
  });

  it('ends when nobody reads its standard output any more', async () => {
    const logs = join(directory, 'pods/demo-system_web-0_uid/main');
    mkdirSync(logs, { recursive: true });
    const line = `{"traceId":"t1","time":"2026-01-01T00:00:00.5Z","pad":"${'x'.repeat(1_000)}"}`;
    writeFileSync(join(logs, '0.log'), `2026-01-01T00:00:01Z stdout F ${line}\n`.repeat(1_000));
    const run = frostbeat(['agent', '--writers', 'stdout', '--shutdown-timeout', '300ms'], { env });
    await until(() => run.output.stdout.length > 0, { what: 'records' });
    run.child.stdout.destroy();
    expect(await run.ended()).toMatchObject({ code: 0 });
  });

  it('ends at once on a second SIGTERM', async () => {
    writeFileSync(
      join(directory, 'slow.mjs'),
      `export default () => ({ name: 'slow', async writeBatch() {}, close: () => new Promise(() => setInterval(() => {}, 1e6)) });`,
    );
    const run = frostbeat(['agent', '--writers', join(directory, 'slow.mjs')], { env });
    await until(() => run.output.stderr.includes('Frostbeat follows'), { what: 'the start' });
    run.child.kill('SIGTERM');
    let ended = false;
    const end = run.ended().finally(() => (ended = true));
    await until(
      () => {
        run.child.kill('SIGTERM');
        return ended;
      },
      { what: 'the end' },
    );
    expect(await end).toMatchObject({ code: 1 });
  });

  it('ends with 2 and every mistake, before it does anything', async () => {
    writeFileSync(join(directory, 'file'), '');
    const { code, stderr } = await frostbeat(['agent', '--btach-size', '3'], {
      env: { ...env, POD_SOURCE: 'kubernetes', TTL: 'ever', STATE_DIR: join(directory, 'file/state') },
    }).ended();
    expect(code).toBe(2);
    expect(stderr.match(/^ {2}- .*$/gm)).toEqual([
      expect.stringContaining('--btach-size is no flag of «frostbeat agent»; did you mean --batch-size?'),
      expect.stringContaining('TTL (--ttl) is "ever"'),
      expect.stringContaining('NODE_NAME (--node-name) is not set'),
      expect.stringContaining('STATE_DIR (--state-dir) is '),
    ]);
  });

  it('ends with 2 where a module of WRITERS is none', async () => {
    writeFileSync(join(directory, 'bad.mjs'), 'export const x = 1;');
    const { code, stderr } = await frostbeat(['agent', '--writers', join(directory, 'bad.mjs')], {
      env,
    }).ended();
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^ {2}- WRITERS \(--writers\) names ".*bad\.mjs": the module has no default export/m,
    );
  });

  it('ends with 2 after a downgrade that cannot read the offsets, and leaves them as they are', async () => {
    mkdirSync(join(directory, 'state'));
    const path = join(directory, 'state/offsets.json');
    writeFileSync(path, '{"version":7,"places":[]}');
    const { code, stderr } = await frostbeat(['agent'], { env }).ended();
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^ {2}- .*offsets\.json is version 7, of a later Frostbeat; .*start the later Frostbeat again.* move the file away/m,
    );
    expect(readFileSync(path, 'utf8')).toBe('{"version":7,"places":[]}');
  });

  it('ends with 1 where its port is taken, and says so', async () => {
    const other = createServer();
    other.listen(0);
    await once(other, 'listening');
    try {
      const { port } = other.address() as AddressInfo;
      const { code, stderr } = await frostbeat(['agent', '--http-port', String(port)], { env }).ended();
      expect(code).toBe(1);
      expect(stderr).toMatch(new RegExp(`"level":"fatal".*Cannot serve HTTP on port ${port}: it is in use`));
    } finally {
      other.close();
    }
  });

  it('ends with 1 and tells the whole error where one escapes', async () => {
    writeFileSync(
      join(directory, 'stray.mjs'),
      `export default () => {
        setTimeout(() => void Promise.reject(new Error('nobody waits for me')), 100);
        return { name: 'stray', async writeBatch() {} };
      };`,
    );
    const { code, stderr } = await frostbeat(['agent', '--writers', join(directory, 'stray.mjs')], {
      env,
    }).ended();
    expect(code).toBe(1);
    const last: unknown = JSON.parse(stderr.trim().split('\n').at(-1) ?? '');
    expect(last).toMatchObject({
      level: 'fatal',
      err: { stack: expect.stringMatching(/nobody waits for me\n.*stray\.mjs/) },
    });
  });

  it('warns of variables that are nearly ours', async () => {
    const run = frostbeat(['agent'], { env: { ...env, BATCHSIZE: '3' } });
    await until(() => run.output.stderr.includes('Frostbeat follows'), { what: 'the start' });
    run.child.kill('SIGTERM');
    expect((await run.ended()).stderr).toContain('BATCHSIZE is set and means nothing');
  });
});
