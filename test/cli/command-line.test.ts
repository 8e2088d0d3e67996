import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { settings } from '../../src/config/settings.ts';
import { frostbeat } from '../support/frostbeat.ts';

describe('frostbeat', () => {
  it('teaches with --help: commands, examples and exit codes', async () => {
    const { code, stdout, stderr } = await frostbeat(['--help']).ended();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/Commands:[^]*config[^]*Examples:[^]*Exit codes:/);
  });

  it('lists every setting with its default in the help of a command', async () => {
    const { stdout } = await frostbeat(['config', '--help']).ended();
    const text = stdout.replaceAll(/\s+/g, ' ');
    for (const { variable, default: value } of Object.values(settings)) {
      expect(text).toContain(value === '' ? `(${variable})` : `(${variable}, default ${value})`);
      expect(text).toContain(`--${variable.toLowerCase().replaceAll('_', '-')} <`);
    }
  });

  it('prints its version', async () => {
    expect(await frostbeat(['--version']).ended()).toMatchObject({ code: 0, stdout: '0.1.0\n' });
  });

  it.each([
    [[], /^Usage: frostbeat/],
    [['confg'], /«confg» is no command: .*did you mean config\?/],
    [['--batch-size', '3'], /the command comes first/],
  ])('ends with 2 and says why on %j', async (args, message) => {
    const { code, stdout, stderr } = await frostbeat(args).ended();
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });
});

describe('frostbeat trace', () => {
  it('reads a trace from where the agent wrote it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'frostbeat-trace-'));
    try {
      writeFileSync(join(directory, 'records.ndjson'), stored(2) + stored(1));
      const env = { WRITERS: 'file', STATE_DIR: directory };
      expect(await frostbeat(['trace', 't'], { env }).ended()).toMatchObject({
        code: 0,
        stdout: '{"n":1,"pad":""}\n{"n":2,"pad":""}\n',
        stderr: expect.stringMatching(/^\{"state":"unknown",.*\}\n$/),
      });
      expect(await frostbeat(['trace', '--output', 'pretty', 't'], { env }).ended()).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('n=2'),
      });
      expect(await frostbeat(['trace', '--from', 'file', '--', '-x'], { env }).ended()).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('no record of the trace «-x»'),
      });

      // Far more than a pipe holds: the reader leaves in the middle.
      writeFileSync(join(directory, 'records.ndjson'), stored(1, 'x'.repeat(1_000)).repeat(2_000));
      const run = frostbeat(['trace', 't'], { env });
      run.child.stdout.once('data', () => run.child.stdout.destroy());
      expect(await run.ended()).toMatchObject({ code: 0, stderr: '' });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it.each([
    [['trace'], /missing required argument 'traceId'/],
    [['trace', 't', 'u'], /«u» is one word too many for «frostbeat trace»/],
    [['trace', 't', '--form', 'file'], /--form is no flag of «frostbeat trace»; did you mean --from\?/],
    [['trace', 't', '--output', 'xml'], /'xml' is invalid\. Allowed choices are pretty, json/],
    [['trace', 't', '--etcd-servers', 'nowhere'], /ETCD_SERVERS .*"nowhere"/],
  ])('ends with 2 and says why on %j', async (args, message) => {
    const { code, stdout, stderr } = await frostbeat(args).ended();
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });
});

describe('frostbeat config', () => {
  it('prints what is in force and where it comes from', async () => {
    const { code, stdout, stderr } = await frostbeat(['config', '--batch-size', '128'], {
      env: { NODE_NAME: 'n1', ETCD_USERNAME: 'u', ETCD_PASSWORD: 'hunter2' },
    }).ended();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^ {2}NODE_NAME +n1 +environment$/m);
    expect(stdout).toMatch(/^ {2}BATCH_SIZE +128 +flag$/m);
    expect(stdout).toMatch(/^ {2}SELECTOR +app=snowplow$/m);
    expect(stdout).toMatch(/^ {2}ETCD_PASSWORD +\*+ +environment$/m);
    expect(stdout).not.toContain('hunter2');
  });

  it('does the same as JSON', async () => {
    const { stdout } = await frostbeat(['config', '-o', 'json'], { env: { NODE_NAME: 'n1' } }).ended();
    expect(JSON.parse(stdout)).toEqual({
      settings: expect.arrayContaining([
        { variable: 'NODE_NAME', value: 'n1', source: 'environment', wrong: false, flag: '--node-name' },
        { variable: 'TTL', value: '48h', source: 'default', wrong: false, flag: '--ttl' },
      ]),
      mistakes: [],
      warnings: [],
    });
  });

  it('lists mistakes of flags, words and settings together, and still prints the rest', async () => {
    const { code, stdout, stderr } = await frostbeat(
      ['config', '--bathc-size', '5', '--frobnicate=1', 'extra', '--ttl', '1s', '--batch-size'],
      { env: { HTTP_PORT: 'http' } },
    ).ended();
    expect(code).toBe(2);
    expect(stdout).toMatch(/^ {2}HTTP_PORT +http +environment +← wrong$/m);
    expect(stdout).toMatch(/^ {2}NODE_NAME .*← wrong$/m);
    expect(stderr.split('\n').filter((line) => line.startsWith('  - '))).toEqual([
      '  - --bathc-size is no flag of «frostbeat config»; did you mean --batch-size?',
      '  - --frobnicate is no flag of «frostbeat config»',
      '  - --batch-size is the last argument: a value must follow it',
      '  - «extra» is one word too many for «frostbeat config»',
      expect.stringContaining('TTL (--ttl) is "1s": it must be'),
      expect.stringContaining('HTTP_PORT (--http-port) is "http": it must be'),
      expect.stringContaining('NODE_NAME (--node-name) is not set'),
    ]);
  });

  it('warns of variables that are nearly ours', async () => {
    const { code, stderr } = await frostbeat(['config'], { env: { NODE_NAME: 'n', BATCHSIZE: '5' } }).ended();
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr:
        'frostbeat: warning: BATCHSIZE is set and means nothing: the setting is called BATCH_SIZE, and is not set\n',
    });
  });
});

/** A record in the file writer's output. */
function stored(n: number, pad = ''): string {
  return `{"timestamp":170000000000000000${n},"traceId":"t","log":{"n":${n},"pad":"${pad}"}}\n`;
}
